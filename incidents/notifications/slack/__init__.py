"""Acting from Slack: what the organisation's own app sends here when somebody presses a button or types /faultline."""
