"""Drawing that several rooms need."""

from .contact_sheet import contact_sheet

__all__ = ['contact_sheet']
