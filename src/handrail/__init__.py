"""Handrail: what every data-science project needs in the same form."""
