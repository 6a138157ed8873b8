#!/usr/bin/env python3
"""plan.py FLEET.ndjson WEIGHTS.json LIMIT SECONDS

What others make of the fleet that `poolgate plan` reads, in one line of JSON: losses and times of

    chunk       hosts sorted by features, cut every LIMIT hosts
    contiguous  the same row of hosts, cut where it loses the least (dynamic programming)
    integer     an integer program over all levels (scipy's HiGHS), SECONDS for each group of hosts; with its bound

Written without a look at poolgate's own search: the formulation is the plain one, levels as facilities with room for
LIMIT hosts a pool. Weights are by feature, as the bench writes them. Needs Python 3.9; `integer` needs scipy.
"""

import json
import sys
import time
from collections import Counter

E1D_DUPLICATES = 0x0183F3FF


def features(text, vendor, weights):
    words = [int(word, 16) for word in text.split("-")]
    words += [0] * (3 - len(words))
    words[2] &= ~E1D_DUPLICATES
    found = {32 * index + bit for index, word in enumerate(words) for bit in range(32) if word >> bit & 1}
    found -= {32 + 27, 6 * 32 + 4}
    if vendor == "GenuineIntel" and 2 * 32 + 29 in found:
        found.add(2 * 32 + 11)
    return sum(1 << feature for feature in found if weights.get(feature, 0) > 0)


def groups(path, weights):
    parts = {}
    with open(path) as lines:
        for line in lines:
            host = json.loads(line)["host"]
            cpu = host["cpu_info"]
            key = (cpu["vendor"], host["software_version"]["product_version"][:3])
            parts.setdefault(key, []).append(features(cpu["features_hvm_host"], cpu["vendor"], weights))
    return [hosts for _, hosts in sorted(parts.items())]


class Weigh:
    def __init__(self, weights):
        self.weights = weights
        self.known = {}

    def __call__(self, level):
        if level not in self.known:
            rest, total = level, 0
            while rest:
                low = rest & -rest
                total += self.weights[low.bit_length() - 1]
                rest ^= low
            self.known[level] = total
        return self.known[level]


def pool_loss(hosts, weigh):
    level = hosts[0]
    for host in hosts:
        level &= host
    return sum(map(weigh, hosts)) - len(hosts) * weigh(level)


def chunk(hosts, limit, weigh):
    row = sorted(hosts, key=lambda host: (weigh(host), host), reverse=True)
    return sum(pool_loss(row[start : start + limit], weigh) for start in range(0, len(row), limit))


def contiguous(hosts, limit, weigh):
    row = sorted(hosts, key=lambda host: (weigh(host), host), reverse=True)
    pools = -(-len(row) // limit)
    never = float("inf")
    least = [0] + [never] * len(row)
    for _ in range(pools):
        now = [never] * (len(row) + 1)
        for start in range(len(row)):
            if least[start] == never:
                continue
            level, own = row[start], 0
            for end in range(start + 1, min(start + limit, len(row)) + 1):
                level &= row[end - 1]
                own += weigh(row[end - 1])
                loss = least[start] + own - (end - start) * weigh(level)
                if loss < now[end]:
                    now[end] = loss
        least = now
    return least[-1]


def integer(hosts, limit, weigh, seconds):
    import numpy
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_matrix

    kinds = Counter(hosts)
    names = sorted(kinds)
    levels, new = set(names), list(names)
    while new:
        level = new.pop()
        for name in names:
            if level & name not in levels:
                levels.add(level & name)
                new.append(level & name)
    levels = sorted(levels)
    pools = -(-len(hosts) // limit)
    pairs = [(kind, level) for kind, name in enumerate(names) for level, set_ in enumerate(levels) if set_ & name == set_]
    entries, low, high = [], [], []

    def row(cells, least, most):
        entries.extend((len(low), column, value) for column, value in cells)
        low.append(least)
        high.append(most)

    at = {level: [] for level in range(len(levels))}
    of = {kind: [] for kind in range(len(names))}
    for column, (kind, level) in enumerate(pairs):
        at[level].append(column)
        of[kind].append(column)
    first = len(pairs)
    for kind, columns in of.items():
        row([(column, 1) for column in columns], kinds[names[kind]], kinds[names[kind]])
    for level, columns in at.items():
        row([(column, 1) for column in columns] + [(first + level, -limit)], -numpy.inf, 0)
    for column, (kind, level) in enumerate(pairs):
        count = kinds[names[kind]]
        if count < limit:
            row([(column, 1), (first + level, -count)], -numpy.inf, 0)
    row([(first + level, 1) for level in range(len(levels))], 0, pools)
    rows, columns, values = zip(*entries)
    size = first + len(levels)
    matrix = coo_matrix((values, (rows, columns)), shape=(len(low), size)).tocsc()
    cost = numpy.zeros(size)
    for column, (kind, level) in enumerate(pairs):
        cost[column] = weigh(names[kind]) - weigh(levels[level])
    whole = numpy.zeros(size)
    whole[first:] = 1
    found = milp(
        cost,
        constraints=LinearConstraint(matrix, low, high),
        integrality=whole,
        bounds=Bounds(0, numpy.inf),
        options={"time_limit": seconds, "mip_rel_gap": 0},
    )
    loss = None if found.fun is None else round(found.fun)
    bound = 0 if found.mip_dual_bound is None else found.mip_dual_bound
    return loss, bound


def main():
    path, weights, limit, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    with open(weights) as file:
        weights = {int(feature): weight for feature, weight in json.load(file).items()}
    fleet = groups(path, weights)
    weigh = Weigh(weights)
    out = {}
    for name, make in (("chunk", chunk), ("contiguous", contiguous)):
        start = time.perf_counter()
        loss = sum(make(hosts, limit, weigh) for hosts in fleet)
        out[name] = {"loss": loss, "seconds": time.perf_counter() - start}
    try:
        import scipy  # noqa: F401
    except ImportError:
        print(json.dumps(out))
        return
    start = time.perf_counter()
    found = [integer(hosts, limit, weigh, seconds) for hosts in fleet]
    out["integer"] = {
        "loss": None if any(loss is None for loss, _ in found) else sum(loss for loss, _ in found),
        "bound": sum(bound for _, bound in found),
        "seconds": time.perf_counter() - start,
    }
    print(json.dumps(out))


if __name__ == "__main__":
    main()
