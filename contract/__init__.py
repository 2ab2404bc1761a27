"""What all floors share: errors, exit codes, names, and the records that stages leave behind."""
