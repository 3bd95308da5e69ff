"""How much of what: whole numbers of the smallest part of a unit, and how people write and read them.

Money is kept in its currency (ISO 4217) and never converted; a currency says how many decimals it has. Hours have two.
"""

from decimal import Decimal

_TWO = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP
    CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS
    KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD
    PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
    TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG
"""
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"

CURRENCIES: dict[str, int] = dict(
    sorted((code, decimals) for codes, decimals in ((_TWO, 2), (_NONE, 0), (_THREE, 3)) for code in codes.split())
)
_DECIMALS = CURRENCIES | {"hours": 2}
MOST_DECIMALS = 3


def decimals_of(unit: str) -> int:
    """How many decimals a unit has: a currency's own, two for hours, none for whatever is counted."""
    return _DECIMALS.get(unit, 0)


def smallest(amount: Decimal | int, unit: str) -> int:
    """An amount as a whole number of the smallest part of its unit. Raises ValueError where it has more decimals."""
    parts = Decimal(amount).scaleb(decimals_of(unit))
    if parts != parts.to_integral_value():
        raise ValueError(f"{unit} has {decimals_of(unit)} decimals")
    return int(parts)


def amount(parts: int, unit: str) -> Decimal:
    """The amount that a number of smallest parts is, with the decimals of its unit."""
    return Decimal(parts).scaleb(-decimals_of(unit))


def written(parts: int, unit: str) -> str:
    """A number of smallest parts, readable: 12,400 or 1,200.50; without decimals where they are all zero."""
    whole = amount(parts, unit)
    return f"{int(whole):,}" if whole == whole.to_integral_value() else f"{whole:,}"
