"""What every page of the site says about itself."""

__version__ = "1.0"


def banner():
    return "CoralNet"
