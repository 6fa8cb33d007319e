"""What every page of the site says about itself."""

__version__ = "1.1"


def banner():
    return "CoralNet, the reef survey"
