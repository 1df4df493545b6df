"""Detect, remedy, verify, attribute, unlearn: what a practitioner does about collapse."""
