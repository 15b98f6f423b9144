"""Incidents: finds delivered mail, and withdraws it with the approval of three operators."""
