"""The one exception that the exporter raises for faulty input."""

from ..errors import Error


class ExportError(Error):
    """The checkpoint, or the place to write to, is at fault.

    The message names the file and the tensor or key, what was found, and what
    was expected. It is meant for the user; no traceback adds to it.
    """
