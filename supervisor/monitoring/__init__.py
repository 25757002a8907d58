"""What is shown and sent to people about numbers as it happens: events, history, alarms."""
