"""Pure: who has access, until when and on which grant; what is given and taken for it."""
