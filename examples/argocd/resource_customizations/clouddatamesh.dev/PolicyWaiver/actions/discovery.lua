return {["reconcile"] = {["disabled"] = false}}
