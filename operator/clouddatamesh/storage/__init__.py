"""The only door to S3 and IAM: adapters over boto3, and a public fake that passes the same contract."""
