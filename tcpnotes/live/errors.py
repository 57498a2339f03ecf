"""What can keep a scenario from running on the kernel of this machine."""


class LiveError(Exception):
    """A run or a recording that cannot be; the text is one sentence that names the place and the remedy."""


class TooBusy(LiveError):
    """The machine had so much else to do that a run came too late to be of use."""


class NotHere(LiveError):
    """This machine cannot do it: no Linux, no right to make namespaces, a kernel without what is needed."""
