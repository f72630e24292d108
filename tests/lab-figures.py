#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

"""What "make bench" computes: what to run, and what the runs say.

    lab-figures.py plan quick|full|kernel [SETTING...] [--pristine]
                        [--rounds=N]
        Prints the runs, one a line: setting, round, kind, metric.  Kinds that
        are compared with each other take turns.

    lab-figures.py search MS PRECISION PIDS LAB-LOAD...
        Searches the highest rate at which all packets of the command LAB-LOAD
        arrive, in trials of MS milliseconds, to a factor of 1 + PRECISION.
        PIDS are processes, separated by commas, whose CPU time counts.

    lab-figures.py cost PPS MS PIDS LAB-LOAD...
        Prints what a packet costs the PIDS at PPS packets per second, beyond
        what they do anyway.

    lab-figures.py rr MS LAB-LOAD...
        Prints how long a packet and its reply take.

    lab-figures.py summary MODE PLAN RUNS JSON [VERSION]
        Reads the PLAN and the file of each run, in directory RUNS, writes JSON
        and prints tables.  Fails if a run is missing.

    lab-figures.py table JSON
        Prints the tables of a file that "summary" has written.

    lab-figures.py plot JSON DIRECTORY [PREFIX]
        Draws the figures in SVG, with gnuplot.  PREFIX begins the names of
        the files.
"""

import collections
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import time

KINDS = ["none", "stt", "vxlan", "geneve", "gre"]
OTHERS = ["vxlan", "geneve", "gre"]

SETTINGS = {
    "tso": "underlay with TSO, MTU 1500",
    "gro": "underlay with TSO and GRO",
    "plain": "underlay without TSO and GRO",
    "merged": "underlay without TSO, with GRO",
    "all": "underlay with TSO, also for UDP and GRE tunnels",
    "jumbo": "underlay with TSO, MTU 9000",
    "guests": "guests without TSO",
    "off": "guests without TSO, userspace TSO off",
    "fitted": "the same, each guest's packet fits into one of STT's",
    "tunnels": "flows spread over tunnels",
    "peers": "flows spread over peers",
    "codec": "code without a switch",
}

# Rounds, and of each setting metrics and kinds.
PLANS = {
    "full": (5, {
        "tso": (["tcp1", "tcp4", "tcp16", "udp64", "udp512", "udp1400", "rr"],
                KINDS),
        "gro": (["tcp1", "tcp4"], KINDS),
        "plain": (["tcp1", "tcp4"], KINDS),
        "merged": (["tcp1", "tcp4"], KINDS),
        "jumbo": (["tcp1", "tcp4"], KINDS),
        "guests": (["tcp1", "tcp4"], KINDS),
        "off": (["tcp1", "tcp4", "udp64"], KINDS),
        "fitted": (["tcp1", "tcp4"], KINDS),
        "tunnels": (["cost"], ["1", "10", "100", "1000"]),
        "peers": (["cost"], ["1", "4", "16", "64", "256"]),
        "codec": (["micro"], ["lib"]),
    }),
    "quick": (2, {
        "tso": (["tcp1", "tcp4", "udp64", "rr"], KINDS),
        "plain": (["tcp4"], KINDS),
        "merged": (["tcp4"], KINDS),
        "guests": (["tcp1"], ["none", "stt", "vxlan"]),
        "off": (["tcp1"], ["none", "stt", "vxlan"]),
        "tunnels": (["cost"], ["1", "1000"]),
        "codec": (["micro"], ["lib"]),
    }),
    "kernel": (5, {
        "tso": (["tcp4"], KINDS),
        "gro": (["tcp4"], KINDS),
        "plain": (["tcp4"], KINDS),
        "merged": (["tcp4"], KINDS),
        "all": (["tcp4"], KINDS),
    }),
}

# Title, setting, metric, what is compared, with the best of what, and the
# ratio that is to be reached, at most that if it is a cost.
TARGETS = [
    ("TCP, 1 stream, TSO: STT / no tunnel",
     "tso", "tcp1", "stt", ["none"], 0.97),
    ("TCP, 4 streams, TSO: STT / no tunnel",
     "tso", "tcp4", "stt", ["none"], 0.97),
    ("TCP, 1 stream, TSO: STT / best other",
     "tso", "tcp1", "stt", OTHERS, 3),
    ("TCP, 4 streams, TSO: STT / best other",
     "tso", "tcp4", "stt", OTHERS, 6),
    ("TCP, 4 streams, no tunnel: fork / pristine",
     "tso", "tcp4", "none", ["pristine"], 2),
    ("TCP, 4 streams, GRO, no TSO: STT / best other",
     "merged", "tcp4", "stt", OTHERS, 3),
    ("TCP, 4 streams, no TSO, no GRO: STT / best other",
     "plain", "tcp4", "stt", OTHERS, 1.7),
    ("TCP, 1 stream, userspace TSO off: STT / VXLAN",
     "off", "tcp1", "stt", ["vxlan"], 1.0),
    ("TCP, 1 stream, the same, fitting MTU: STT / VXLAN",
     "fitted", "tcp1", "stt", ["vxlan"], 1.0),
    ("TCP, 1 stream, guests without TSO: STT / VXLAN",
     "guests", "tcp1", "stt", ["vxlan"], 1.5),
    ("UDP, 64 bytes without loss: STT / VXLAN",
     "tso", "udp64", "stt", ["vxlan"], 0.97),
    ("cost of a packet, 1,000 tunnels / 1",
     "tunnels", "cost", "1000", ["1"], 1.1),
]
KERNEL_TARGETS = [
    ("TCP, 4 streams, TSO: STT / no tunnel",
     "tso", "tcp4", "stt", ["none"], 0.9),
    ("TCP, 4 streams, TSO: STT / best other",
     "tso", "tcp4", "stt", OTHERS, 1.5),
    ("TCP, 4 streams, no TSO, no GRO: STT / best other",
     "plain", "tcp4", "stt", OTHERS, 1.0),
]

# The value of a metric that counts, its unit and what it is divided by, and
# what is printed beside it.
METRICS = {
    "tcp": ("bps", "Mbit/s", 1e6,
            [("retransmits", "retransmits", 1),
             ("switch_s_per_gb", "s/GB switches", 1),
             ("machine_s_per_gb", "s/GB machine", 1)]),
    "udp": ("pps", "kpps", 1e3, [("switch_ns", "ns/packet switches", 1)]),
    "rr": ("median_ns", "us", 1e3, [("p99_ns", "us p99", 1e3)]),
    "cost": ("ns", "ns/packet", 1, [("idle_s", "s/s idle", 1)]),
    "micro": (None, "", 1, []),
}
COSTS = ["rr", "cost"]

# Rates of the search, in packets per second.
FIRST_RATE = 20000
LOWEST_RATE = 50
HIGHEST_RATE = 20000000


def die(message):
    sys.exit("lab-figures: " + message)


def family(metric):
    """The key of METRICS for 'metric': "tcp" for "tcp16"."""
    return metric.rstrip("0123456789")


# What to run.

def make_plan(mode, settings, pristine, rounds=None):
    """Yields the runs: setting, round, kind, metric.  There are 'rounds', or
    as many as 'mode' says."""
    if mode not in PLANS:
        die("%s: not one of %s" % (mode, ", ".join(sorted(PLANS))))
    default, plan = PLANS[mode]
    rounds = rounds or default
    for setting in settings:
        if setting not in plan:
            die("%s: not one of %s" % (setting, ", ".join(plan)))
    for setting, (metrics, kinds) in plan.items():
        if settings and setting not in settings:
            continue
        for n in range(1, rounds + 1):
            for metric in metrics:
                # Each round begins with another kind, lest one always runs
                # first after another metric.
                turns = list(kinds)
                if (pristine and setting == "tso"
                        and family(metric) == "tcp"):
                    turns.append("pristine")
                shift = (n - 1) % len(turns)
                turns = turns[shift:] + turns[:shift]
                for kind in turns:
                    yield setting, n, kind, metric


def run_name(run):
    return ".".join(map(str, run)) + ".json"


# Rates.

def cpu_seconds(pids):
    ticks = 0
    for pid in pids:
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def parse_pids(s):
    return [int(pid) for pid in s.split(",") if pid]


class Load:
    """A lab-load that runs."""
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        try:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline()
        if not line:
            die("lab-load ended with status %d" % self.process.wait())
        return json.loads(line)

    def end(self):
        self.process.stdin.close()
        if self.process.wait():
            die("lab-load ended with status %d" % self.process.returncode)


def judge(trial, pps, ms):
    """What a trial at 'pps' says: "ok" if all packets arrived in time, "loss"
    if not, "sender" if they did but were fewer, since the sender is slow."""
    if trial["received"] < trial["sent"] or not trial["received"]:
        return "loss"
    # What a long queue has taken may arrive, but too late.
    if trial["span_ns"] > trial["send_ns"] * 1.05 + 5e6:
        return "loss"
    if trial["refused"] or trial["sent"] < 0.95 * pps * ms / 1000:
        return "sender"
    return "ok"


def search(probe, precision):
    """Returns the highest rate for which probe() is not "loss", to a factor of
    1 + 'precision', and whether the sender could not send more, or None if
    there is no such rate."""
    low = high = None
    rate = FIRST_RATE
    while True:
        verdict = probe(rate)
        if verdict == "sender":
            return rate, True
        if verdict == "ok":
            low = rate
        else:
            high = rate
        if low is None:
            rate = high // 2
            if rate < LOWEST_RATE:
                return None
        elif high is None:
            rate = low * 2
            if rate > HIGHEST_RATE:
                return low, True
        elif high <= low * (1 + precision):
            return low, False
        else:
            rate = (low + high) // 2
            if rate == low:
                return low, False


def do_search(ms, precision, pids, command):
    load = Load(command)
    trials = []
    good = {}

    def probe(pps):
        # One loss may be due to the machine, two are due to the rate.
        for _ in range(2):
            before = cpu_seconds(pids)
            trial = load.ask("rate", pps, ms)
            trial["cpu_s"] = cpu_seconds(pids) - before
            verdict = judge(trial, pps, ms)
            trials.append([pps, verdict, trial["sent"], trial["received"]])
            if verdict != "loss":
                good[pps] = trial
                break
        return verdict

    load.ask("rate", 1000, 50)      # So that there are flows and neighbours.
    found = search(probe, precision)
    load.end()
    if not found:
        return {"error": "packets are lost at any rate", "trials": trials}
    rate, by_sender = found
    trial = good[rate]
    return {"pps": trial["received"] / max(trial["span_ns"],
                                           trial["send_ns"]) * 1e9,
            "limited_by_sender": by_sender,
            "switch_ns": trial["cpu_s"] / trial["received"] * 1e9,
            "trials": trials}


def do_cost(pps, ms, pids, command):
    load = Load(command)
    load.ask("rate", pps, ms)       # So that there are flows and neighbours.
    before = cpu_seconds(pids)
    time.sleep(ms / 1000)
    idle = cpu_seconds(pids) - before
    before = cpu_seconds(pids)
    begin = time.monotonic()
    trial = load.ask("rate", pps, ms)
    busy = cpu_seconds(pids) - before
    elapsed = time.monotonic() - begin
    load.end()
    if not trial["received"]:
        return {"error": "no packet arrived"}
    if trial["received"] < 0.99 * trial["sent"]:
        return {"error": "%d of %d packets arrived" % (trial["received"],
                                                       trial["sent"])}
    idle *= elapsed / (ms / 1000)
    return {"ns": max(busy - idle, 0) / trial["received"] * 1e9,
            "idle_s": idle / elapsed,
            "received": trial["received"], "sent": trial["sent"]}


def do_rr(ms, command):
    load = Load(command)
    load.ask("rr", 50)
    reply = load.ask("rr", ms)
    load.end()
    if not reply["transactions"]:
        return {"error": "no reply"}
    return reply


# What the runs say.

def read_run(path, metric):
    """Returns the values of the run in 'path', among them "error" if it
    failed."""
    try:
        with open(path) as f:
            run = json.load(f)
    except FileNotFoundError:
        return {"error": "missing"}
    except ValueError:
        return {"error": "no result"}
    if "iperf" in run:
        run = read_iperf(run)
    key = METRICS[family(metric)][0]
    if "error" not in run and key and not run.get(key, -1) >= 0:
        run["error"] = "no result"
    return run


def read_iperf(run):
    iperf = run["iperf"]
    if "error" in iperf:
        return {"error": "iperf3: " + iperf["error"]}
    try:
        received = iperf["end"]["sum_received"]
        gb = received["bytes"] / 1e9
        values = {"bps": received["bits_per_second"],
                  "retransmits": iperf["end"]["sum_sent"]["retransmits"]}
    except KeyError as e:
        return {"error": "iperf3: no %s" % e}
    if not gb:
        return {"error": "iperf3: nothing arrived"}
    # In the kernel, the switch has no time of its own.
    for name in "switch_s", "machine_s":
        if name in run:
            values[name + "_per_gb"] = run[name] / gb
    return values


def spread(values):
    return {"median": statistics.median(values), "min": min(values),
            "max": max(values), "n": len(values)}


def make_figures(runs):
    """Returns the median and spread of each value, by setting, metric, kind
    and the value's name."""
    values = collections.defaultdict(list)
    for run in runs:
        if "error" in run["values"]:
            continue
        for name, value in run["values"].items():
            if (isinstance(value, (int, float))
                    and not isinstance(value, bool)):
                values[run["setting"], run["metric"], run["kind"],
                       name].append(value)
    figures = {}
    for keys, some in values.items():
        where = figures
        for key in keys[:-1]:
            where = where.setdefault(key, {})
        where[keys[-1]] = spread(some)
    return figures


def make_ratios(runs, setting, metric, a, b):
    """Returns kind 'a' divided by 'b' in each round: a machine is not always
    equally fast, so runs are compared only with others of their round."""
    name = METRICS[family(metric)][0]
    rounds = collections.defaultdict(dict)
    for run in runs:
        if (run["setting"] == setting and run["metric"] == metric
                and name in run["values"] and "error" not in run["values"]):
            rounds[run["round"]][run["kind"]] = run["values"][name]
    return [r[a] / r[b] for _, r in sorted(rounds.items())
            if a in r and r.get(b)]


def make_targets(mode, runs, figures):
    """Returns a row for each target of 'mode', without "ratio" if it was not
    measured."""
    rows = []
    targets = KERNEL_TARGETS if mode == "kernel" else TARGETS
    for title, setting, metric, a, others, target in targets:
        name = METRICS[family(metric)][0]
        cost = family(metric) in COSTS
        row = {"case": title, "target": target, "at_most": cost}
        rows.append(row)
        measured = figures.get(setting, {}).get(metric, {})
        medians = [(measured[kind][name]["median"], kind) for kind in others
                   if kind in measured]
        if not medians:
            continue
        best = (min if cost else max)(medians)[1]
        ratios = make_ratios(runs, setting, metric, a, best)
        if not ratios:
            continue
        row["ratio"] = spread(ratios)
        row["other"] = best
        ratio = row["ratio"]["median"]
        row["met"] = ratio <= target if cost else ratio >= target
        row["by_sender"] = any(
            run["values"].get("limited_by_sender") for run in runs
            if (run["setting"], run["metric"]) == (setting, metric)
            and run["kind"] in (a, best))
    return rows


def machine():
    info = {"kernel": platform.release(), "cpus": os.cpu_count(),
            "load": os.getloadavg()[0]}
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                info["cpu"] = line.partition(":")[2].strip()
                break
    with open("/proc/meminfo") as f:
        info["memory_kb"] = int(f.readline().split()[1])
    return info


def do_summary(mode, plan, directory, path, version=""):
    runs = []
    with open(plan) as f:
        for line in f:
            setting, n, kind, metric = line.split()
            run = (setting, int(n), kind, metric)
            values = read_run(os.path.join(directory, run_name(run)), metric)
            runs.append({"setting": setting, "round": int(n), "kind": kind,
                         "metric": metric, "values": values})
    if not runs:
        die("%s: there is nothing to run" % plan)
    figures = make_figures(runs)
    result = {"mode": mode, "version": version, "machine": machine(),
              "time": int(time.time()), "runs": runs, "figures": figures,
              "targets": make_targets(mode, runs, figures)}
    with open(path + ".new", "w") as f:
        json.dump(result, f, indent=1)
        f.write("\n")
    os.rename(path + ".new", path)
    return do_table(result)


def do_table(result):
    """Prints the tables.  Returns false if a run is missing."""
    print_figures(result["figures"])
    print_targets(result["targets"])
    bad = [run for run in result["runs"] if "error" in run["values"]]
    for run in bad:
        print("lab-figures: %s, round %d, %s, %s: %s"
              % (run["setting"], run["round"], run["kind"], run["metric"],
                 run["values"]["error"]), file=sys.stderr)
    if bad:
        print("lab-figures: %d of %d runs failed or are missing"
              % (len(bad), len(result["runs"])), file=sys.stderr)
    return not bad


def print_figures(figures):
    for setting, metrics in figures.items():
        print("\n%s: %s" % (setting, SETTINGS.get(setting, "")))
        for metric, kinds in metrics.items():
            if family(metric) == "micro":
                for kind, values in kinds.items():
                    for name, value in values.items():
                        print("  %-24s %12.6g (%.6g-%.6g)"
                              % (name, value["median"], value["min"],
                                 value["max"]))
                continue
            name, unit, divisor, beside = METRICS[family(metric)]
            for kind, values in kinds.items():
                v = values[name]
                line = ("  %-8s %-9s %9.1f %s (%.1f-%.1f)"
                        % (metric, kind, v["median"] / divisor, unit,
                           v["min"] / divisor, v["max"] / divisor))
                for other, label, by in beside:
                    if other in values:
                        line += ", %.4g %s" % (values[other]["median"] / by,
                                               label)
                print(line)


def print_targets(targets):
    print("\n%-50s %8s %8s" % ("case", "target", "measured"))
    for t in targets:
        target = "%s %.4g" % ("<=" if t["at_most"] else ">=", t["target"])
        if "ratio" not in t:
            print("%-50s %8s %8s  not measured" % (t["case"], target, "-"))
            continue
        ratio = t["ratio"]["median"]
        verdict = "met"
        if not t["met"]:
            verdict = ("missed by %.0f %%"
                       % (abs(ratio / t["target"] - 1) * 100))
        print("%-50s %8s %8.2f  %s (%.2f-%.2f, %s)%s"
              % (t["case"], target, ratio, verdict, t["ratio"]["min"],
                 t["ratio"]["max"], t["other"],
                 ", the sender is the limit" if t.get("by_sender") else ""))


# Plots.

def quote(s):
    return '"%s"' % s.replace("_", " ")


def bars(title, label, rows, kinds):
    """Returns gnuplot's commands for bars of 'kinds' for each of 'rows', which
    are titles and medians, minima and maxima by kind."""
    data = ["$data << END"]
    for name, values in rows:
        cells = [quote(name)]
        for kind in kinds:
            cells += ["%g" % x for x in values[kind]] if kind in values \
                else ["NaN"] * 3
        data.append(" ".join(cells))
    data.append("END")
    plots = ["$data using %d:%d:%d:xtic(1) title %s"
             % (3 * i + 2, 3 * i + 3, 3 * i + 4, quote(kind))
             for i, kind in enumerate(kinds)]
    return data + [
        "set title " + quote(title), "set ylabel " + quote(label),
        "set yrange [0:*]", "set style data histograms",
        "set style histogram errorbars gap 2 lw 1",
        "set style fill solid 0.7", "set key outside",
        "plot " + ", ".join(plots)]


def curve(title, xlabel, ylabel, points):
    data = ["$data << END"]
    data += ["%g %g %g %g" % p for p in points] + ["END"]
    return data + [
        "set title " + quote(title), "set xlabel " + quote(xlabel),
        "set ylabel " + quote(ylabel), "set yrange [0:*]",
        "set logscale x", "set nokey",
        "plot $data using 1:2:3:4 with yerrorlines lw 2 pt 7"]


def bar_rows(figures, wanted, name, divisor):
    rows = []
    for setting, metrics in figures.items():
        for metric, kinds in metrics.items():
            if family(metric) != wanted:
                continue
            rows.append(("%s\\n%s" % (setting, metric),
                         {kind: [v[name][x] / divisor
                                 for x in ("median", "min", "max")]
                          for kind, v in kinds.items() if name in v}))
    return rows


def make_plots(figures):
    """Yields names and gnuplot's commands."""
    for wanted, name, divisor, title, label in (
            ("tcp", "bps", 1e6, "TCP", "Mbit/s"),
            ("tcp", "switch_s_per_gb", 1, "CPU time of both switches",
             "seconds per GB"),
            ("tcp", "machine_s_per_gb", 1, "CPU time of the machine",
             "seconds per GB"),
            ("udp", "pps", 1e3, "UDP without loss",
             "thousand packets per second"),
            ("rr", "median_ns", 1e3, "Packet and reply", "microseconds")):
        rows = bar_rows(figures, wanted, name, divisor)
        kinds = [k for k in KINDS + ["pristine"]
                 if any(k in values for _, values in rows)]
        if kinds:
            yield ("%s-%s" % (wanted, name.replace("_", "-")),
                   bars(title, label, rows, kinds))
    for setting in "tunnels", "peers":
        kinds = figures.get(setting, {}).get("cost", {})
        points = sorted((int(kind), v["ns"]["median"], v["ns"]["min"],
                         v["ns"]["max"]) for kind, v in kinds.items())
        if points:
            yield setting, curve("Cost of a packet", setting,
                                 "nanoseconds of both switches", points)
    micro = figures.get("codec", {}).get("micro", {}).get("lib", {})
    points = sorted((max(int(name.split("_")[1]), 1), v["median"], v["min"],
                     v["max"]) for name, v in micro.items()
                    if name.startswith("incomplete_"))
    if points:
        yield "incomplete", curve("Cost of a segment in reassembly",
                                  "incomplete frames", "nanoseconds", points)


def do_plot(path, directory, prefix=""):
    with open(path) as f:
        figures = json.load(f)["figures"]
    for name, commands in make_plots(figures):
        output = os.path.join(directory, prefix + name + ".svg")
        script = ["set terminal svg size 1000,480 background 'white'",
                  "set output '%s'" % output, "set grid y",
                  "set bmargin 4"] + commands
        try:
            subprocess.run(["gnuplot"], input="\n".join(script) + "\n",
                           text=True, check=True)
        except FileNotFoundError:
            die("no plots: missing: gnuplot (package gnuplot-nox)")
        except subprocess.CalledProcessError:
            die("%s: gnuplot failed" % output)
        print(output)


def main(argv):
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    command, args = (argv[1:2] or [""])[0], argv[2:]
    if command == "plan" and args:
        options = [arg for arg in args if arg.startswith("--")]
        args = [arg for arg in args if not arg.startswith("--")]
        pristine, rounds = False, None
        for option in options:
            name, _, value = option.partition("=")
            if option == "--pristine":
                pristine = True
            elif (name == "--rounds" and value.isdecimal()
                  and 0 < int(value) < 1000):
                rounds = int(value)
            else:
                die("%s: --pristine, or --rounds= and a number from 1 to 999"
                    % option)
        for run in make_plan(args[0] if args else "", args[1:], pristine,
                             rounds):
            print(*run)
    elif command == "search" and len(args) > 3:
        print(json.dumps(do_search(int(args[0]), float(args[1]),
                                   parse_pids(args[2]), args[3:])))
    elif command == "cost" and len(args) > 3:
        print(json.dumps(do_cost(int(args[0]), int(args[1]),
                                 parse_pids(args[2]), args[3:])))
    elif command == "rr" and len(args) > 1:
        print(json.dumps(do_rr(int(args[0]), args[1:])))
    elif command == "summary" and len(args) in (4, 5):
        sys.exit(0 if do_summary(*args) else 1)
    elif command == "table" and len(args) == 1:
        with open(args[0]) as f:
            result = json.load(f)
        sys.exit(0 if do_table(result) else 1)
    elif command == "plot" and len(args) in (2, 3):
        do_plot(*args)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv)
