"""The only code that knows where bytes lie: contents by name, event logs, files of this machine."""
