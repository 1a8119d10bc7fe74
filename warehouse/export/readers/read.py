"""Reads exports with DuckDB, pandas and pyarrow, and says as JSON what each of them sees.

Usage: read.py FILE.parquet FILE.arrow FILE.csv
Times are written with their zone, decimals as text: what a reader loses is seen.
"""

import datetime
import decimal
import json
import math
import sys

import duckdb
import pandas
import pyarrow.feather
import pyarrow.parquet


def plain(value):
    if value is None or value is pandas.NaT or isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, pandas.Timestamp):
        value = value.to_pydatetime()
    if isinstance(value, datetime.datetime):
        zone = value.tzinfo
        name = getattr(zone, "key", None) or getattr(zone, "zone", None) or (zone.tzname(value) if zone else "none")
        return value.isoformat(timespec="milliseconds") + " " + name
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in sorted(value.items())}
    if isinstance(value, (list, tuple)) or type(value).__name__ == "ndarray":
        items = list(value)
        if items and all(isinstance(x, tuple) and len(x) == 2 for x in items):  # how pyarrow gives a map
            return {str(k): plain(v) for k, v in sorted(items)}
        return [plain(x) for x in items]
    if hasattr(value, "item"):
        return plain(value.item())
    return value


def rows(table):
    return [{k: plain(v) for k, v in row.items()} for row in table.to_pylist()]


def frame(data):
    return [{k: plain(v) for k, v in row.items()} for row in data.to_dict("records")]


def ducks(path, ask):
    relation = ask.sql(f"SELECT * FROM '{path}'")
    return [dict(zip(relation.columns, map(plain, row))) for row in relation.fetchall()]


parquet, arrow, csv = sys.argv[1:]
duck = duckdb.connect()
duck.sql("SET TimeZone = 'UTC'")
table = pyarrow.parquet.read_table(parquet)
json.dump({
    "duckdb parquet": ducks(parquet, duck),
    "duckdb types": {name: str(kind) for name, kind in zip(*(lambda r: (r.columns, r.types))(duck.sql(f"SELECT * FROM '{parquet}'")))},
    "pyarrow parquet": rows(table),
    "pyarrow types": {f.name: str(f.type) for f in table.schema},
    "pyarrow arrow": rows(pyarrow.feather.read_table(arrow)),
    "pandas parquet": frame(pandas.read_parquet(parquet, dtype_backend="pyarrow")),
    "pandas arrow": frame(pandas.read_feather(arrow, dtype_backend="pyarrow")),
    "pandas csv": frame(pandas.read_csv(csv, dtype=str, keep_default_na=False)),
}, sys.stdout)
