"""What can happen to a floor from outside, at a time: blows of fate, what people ask for, what owners do by hand."""

from dataclasses import dataclass
from enum import Enum


class Blow(Enum):
    """What happens at a time, whatever else is going on."""

    KILL_RISK = "the risk desk dies"
    KILL_TRADER = "a trader dies"
    KILL_COLLECTOR = "the collector dies"
    KILL_SUPERVISOR = "the supervisor dies"
    KILL_ALL = "the whole platform dies"
    SPLIT_RISK = "the risk desk is cut off"
    SPLIT_SENDING = "the risk desk is cut off as it sends"
    SPLIT_TRADER = "a trader is cut off"
    SPLIT_COLLECTOR = "the collector is cut off"
    STILL_RISK = "the risk desk stands still"
    STILL_TRADER = "a trader stands still"
    STORES_DOWN = "the database is down"
    MAINTENANCE = "the exchange is closed"
    CLOCK_JUMP = "the clock jumps"


class Act(Enum):
    """What a person asks the floor for."""

    STOP = "emergency stop"
    SELL_OUT = "emergency stop, and everything is sold"
    STOP_BY_FILE = "a file says to stop"
    STOP_ONE = "emergency stop of one deployment"
    STOP_ALL_BY_FILE = "a file says to stop the platform"
    NO_ENTRY = "nothing is bought any more"
    NO_ENTRY_OF_ONE = "one deployment buys nothing any more"
    NO_ENTRY_BY_FILE = "a file says that a deployment buys nothing any more"
    RESET = "reset, and all are activated again"
    PAUSE = "a deployment is paused"
    ACTIVATE = "all are activated again"
    CANCEL = "an order is cancelled"
    MOVE = "an order is moved"
    FORCE_EXIT = "a coin is sold"
    FORCE_OUT = "everything is sold, and trading goes on"
    RESOLVE = "what is held is resolved"
    ACCEPT = "the venue's balances are accepted"
    NEW_KEY = "the owner's key is replaced"


class Hand(Enum):
    """What an owner does at the venue itself, on an account that the floor trades, too."""

    BUY = "the owner buys"
    SELL = "the owner sells what is his"
    ALIKE = "the owner does the same as the floor"
    REST = "the owner's order rests on the book"
    CANCEL = "the owner cancels his own"
    DEPOSIT = "the owner deposits"
    WITHDRAW = "the owner withdraws what is his"
    TAKE = "the owner sells what is the floor's"


@dataclass(frozen=True, slots=True)
class Happening:
    at_s: float
    what: Blow | Act | Hand
    lasts_s: float
    which: int
