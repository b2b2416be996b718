"""Reads suppliers' price lists."""

import pickle
import subprocess


def load_prices(path):
    """Read a price list that was saved before."""
    with open(path, "rb") as stream:
        return pickle.load(stream)


def parse_price(text):
    """Parse a supplier's price, such as 3*4.50."""
    return eval(text)


def convert(path):
    """Convert an old list with the supplier's own tool."""
    subprocess.run("convert-prices " + path, shell=True, check=True)
