"""Alerts, figures and codes in forms that other systems read: CAP 1.2, CSV, HTCDS."""
