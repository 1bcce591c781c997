# SPDX-License-Identifier: GPL-3.0-or-later
"""Of what ./bench works out: parsing, ratios, verdicts. Nothing is measured here."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from orchestration import engine, figures, guests, lockstep, record, rows  # noqa: E402
from orchestration.machines import Watcher, Work  # noqa: E402
from orchestration.serial_log import Measurement, SerialLog  # noqa: E402
from orchestration.table import NATIVE, TCG, Report  # noqa: E402

ENGINE = "Namsan soft:translator"


def log_of(*lines):
    log = SerialLog()
    for time, line in enumerate(lines):
        log.feed(line, float(time))
    return log


class Rows(unittest.TestCase):
    def test_each_row_has_a_file_and_each_file_a_row(self):
        folder = Path(__file__).resolve().parent
        programs = {path.stem for path in (folder / "guest_programs").glob("*.c")} - {"main"}
        programs |= {path.name for path in (folder / "real_programs").iterdir()}
        self.assertEqual(programs, {row.name for row in rows.ROWS})

    def test_exact_names_win_over_parts(self):
        self.assertEqual([row.name for row in rows.choose("fork")], ["fork"])
        self.assertEqual([row.name for row in rows.choose("for,zip")],
                         ["fork", "fork_and_exec", "gzip", "bzip2", "fork_loop"])

    def test_groups_and_unknown_rows(self):
        self.assertEqual({row.group for row in rows.choose("real")}, {rows.REAL})
        self.assertEqual(len(rows.choose(None)), len(rows.ROWS))
        for text in ("nonsense", "fork,nonsense", ","):
            with self.assertRaises(ValueError):
                rows.choose(text)


class Serial(unittest.TestCase):
    def test_a_row_that_went_well(self):
        log = log_of("[    0.0] kernel", "! BEGIN: fork\r", "! VALUE: fork 1500.250 ns 0badcafe\r",
                     "! PERF: fork 1.990000 s ok\r", "! END")
        found = log.measurements["fork"]
        self.assertEqual((found.nanoseconds, found.checksum, found.host_seconds), (1500.25, "0badcafe", 2.0))
        self.assertAlmostEqual(found.drift, -0.005)
        self.assertIsNone(found.failure)
        self.assertTrue(log.ended)
        self.assertIsNone(log.current)

    def test_reasons_of_failure(self):
        cases = {
            "two batches differ: checksum 01 after 02": ("! DIFFERS: fork 01 after 02", "! PERF: fork 0.1 s failed",
                                                         "! STATUS: fork 1"),
            "it was ended by signal 11": ("! STATUS: fork 139",),
            "it ended with status 3": ("! PERF: fork 0.1 s failed", "! STATUS: fork 3"),
            "the guest refused: fork: no": ("! REFUSED: fork: no", "! STATUS: fork 1"),
            "it ended without a result": ("! BEGIN: sort",),
        }
        for why, lines in cases.items():
            with self.subTest(why):
                self.assertEqual(log_of("! BEGIN: fork", *lines).measurements["fork"].failure, why)

    def test_a_machine_that_dies_leaves_its_row_failed(self):
        log = log_of("! BEGIN: fork", "! PERF: fork 1.0 s ok", "! BEGIN: sort")
        self.assertEqual(log.current, "sort")
        log.abandon("gone")
        self.assertEqual(log.measurements["sort"].failure, "gone")
        self.assertIsNone(log.measurements["fork"].failure)

    def test_lines_that_only_look_like_results(self):
        log = log_of("# echo ! BEGIN: fork", "! BEGIN: fork and more", "! PERF: fork 1.0 s ok", "! VALUE: fork x ns 0")
        self.assertEqual(log.measurements, {})


class Figures(unittest.TestCase):
    def test_three_digits(self):
        for value, text in ((0.71649, "0.716"), (1, "1.00"), (43.36, "43.4"), (999.6, "1,000"), (1234567, "1,230,000"),
                            (None, "-"), (0, "0")):
            self.assertEqual(figures.figure(value), text)

    def test_durations_in_their_unit(self):
        for nanoseconds, text in ((5.834, "5.83 ns"), (1500, "1.50 µs"), (2.5e6, "2.50 ms"), (1e9, "1.00 s")):
            self.assertEqual(figures.duration(nanoseconds), text)

    def test_spread_leaves_out_what_failed(self):
        self.assertEqual(figures.spread([3, None, 1, 2]), figures.Spread(2, 1, 3))
        self.assertEqual(str(figures.spread([3, 1, 2])), "2.00 (1.00 to 3.00)")
        self.assertEqual(str(figures.spread([2])), "2.00")
        self.assertIsNone(figures.spread([None]))

    def test_ratios_are_of_the_same_round(self):
        self.assertEqual(figures.ratios([2, None, 9], [1, 5, 3]), [2, 3])

    def test_geometric_mean(self):
        self.assertAlmostEqual(figures.geometric_mean([1, 4, 16]), 4)
        self.assertIsNone(figures.geometric_mean([]))


def measurement(nanoseconds, checksum="0badcafe", guest=1.0, host=1.0, failure=None):
    return Measurement("gzip", nanoseconds, checksum, guest, host, failure)


class Table(unittest.TestCase):
    def setUp(self):
        self.rows = [row for row in rows.ROWS if row.name == "gzip"]
        self.runs = {NATIVE: [{"gzip": measurement(100)}, {"gzip": measurement(200)}],
                     TCG: [{"gzip": measurement(900)}, {"gzip": measurement(1800)}],
                     ENGINE: [{"gzip": measurement(300)}, {"gzip": measurement(450)}]}
        self.about = {"processor": "P", "cpus": 1, "kernel": "K", "load": 0, "qemu": "Q", "namsan": "N",
                      "started_at": "T", "runs": 2}

    def report(self):
        return Report(self.rows, list(self.runs), self.runs)

    def test_ratios_with_their_spread(self):
        self.assertEqual(self.report().ratio(TCG, ENGINE, self.rows[0]), figures.Spread(3.5, 3, 4))
        text = self.report().markdown(self.about)
        self.assertIn("| gzip | 150 ns | 9.00 | 2.62 (2.25 to 3.00) | 3.50 (3.00 to 4.00) |", text)
        self.assertIn("| real programs, times as fast as TCG | at least 2.5 | 3.50 |", text)
        self.assertIn(f"Slower than TCG in {ENGINE}: no row.", text)

    def test_a_goal_that_is_missed_says_so(self):
        self.runs[ENGINE] = [{"gzip": measurement(1000)}, {"gzip": measurement(2000)}]
        text = self.report().markdown(self.about)
        self.assertIn("| at least 2.5 | 0.900 (missed) |", text)
        self.assertIn(f"Slower than TCG in {ENGINE}: gzip.", text)

    def test_wrong_output_fails_the_row_and_its_mean(self):
        self.runs[ENGINE][1]["gzip"] = measurement(450, checksum="deadbeef")
        report = self.report()
        self.assertEqual(len(report.failures()), 1)
        text = report.markdown(self.about)
        self.assertIn("its output differs: checksum deadbeef, natively 0badcafe", text)
        self.assertIn("| gzip | 150 ns | 9.00 | FAILED | FAILED |", text)
        self.assertIn("FAILED rows", text)

    def test_a_row_that_never_came_is_a_failure(self):
        self.runs[ENGINE][0] = {}
        self.assertEqual(self.report().failure(ENGINE, self.rows[0]), "it was never begun")

    def test_counters_per_thousand_instructions(self):
        self.runs[ENGINE][1]["gzip"].counters = {"instructions": 4000000, "tlb_misses": 6000}
        self.assertIn("| gzip | 4.00 | 1.50 | 0 |", self.report().counters())

    def test_clocks_that_differ(self):
        self.runs[NATIVE][0]["gzip"] = measurement(100, guest=1.0, host=1.5)  # the reader was late: it is one clock
        self.runs[TCG][0]["gzip"] = measurement(900, guest=1.0, host=1.05)
        self.runs[TCG][1]["gzip"] = measurement(900, guest=0.10, host=0.11)  # too short to say
        self.runs[ENGINE][0] = {str(n): measurement(300, guest=1.0, host=1.02) for n in range(4)}  # only together
        self.assertEqual(self.report().clock_complaints(),
                         [f"{TCG}, gzip: guest 1.000 s, host 1.050 s (-4.8%)",
                          f"{TCG}, all of round 1: guest 1.000 s, host 1.050 s (-4.8%)",
                          f"{ENGINE}, all of round 1: guest 4.000 s, host 4.080 s (-2.0%)"])


class Restarts(unittest.TestCase):
    def test_rows_after_the_one_that_killed_the_machine(self):
        log = log_of("! BEGIN: a", "! PERF: a 1.0 s ok", "! BEGIN: b")
        self.assertEqual(engine.rows_after(("a", "b", "c"), log.current, log), ("c",))
        log.abandon("gone")
        self.assertEqual(engine.rows_after(("a", "b", "c"), None, log), ("c",))
        self.assertEqual(engine.rows_after(("a",), None, log_of("! END")), ())

    def test_a_command_is_read_to_its_end_and_ended_when_silent(self):
        lines = []
        ending = Watcher(10).watch(["sh", "-c", "echo one; echo two; echo why >&2; exit 3"],
                                   lambda line, time: lines.append(line))
        self.assertEqual((lines, ending.status, ending.last_words), (["one", "two"], 3, "why"))
        self.assertIsNone(Watcher(0.05).watch(["sleep", "60"], lambda line, time: None).status)

    def test_a_reader_that_has_enough_ends_the_command(self):
        ending = Watcher(10).watch(["sh", "-c", "echo enough; exec sleep 60"], lambda line, time: line == "enough")
        self.assertLess(ending.status, 0)

    def test_what_the_guest_is_told(self):
        self.assertTrue(Work(300, 50, ("fork", "sort")).append().endswith("namsan.bench=300,50,fork,sort"))


class Guests(unittest.TestCase):
    @staticmethod
    def guest(**more):
        return guests.Guest("browser", Path("/g"), {"kernel": "k", "initrd": "i", "append": "a", "memory": "1G"} | more,
                            "mini")

    def test_both_machines_get_what_the_guest_wants(self):
        guest = self.guest(screen=guests.SCREEN, network="nat")
        qemu = guests.Qemu().command(guest)
        self.assertIn("user,model=virtio-net-pci", qemu)
        self.assertEqual(qemu[-1], f"a {guests.VESA_1024X768X32}")
        namsan = guests.Namsan("namsan", "soft").command(guest)
        for option, value in (("--screen", guests.SCREEN), ("--network", "nat"), ("--memory", "1G"), ("--append", "a"),
                              ("--kernel", "/g/k")):
            self.assertEqual(namsan[namsan.index(option) + 1], value)

    def test_nothing_that_the_guest_does_not_want(self):
        self.assertEqual(guests.Qemu().command(self.guest())[-1], "a")
        self.assertIn("none", guests.Qemu().command(self.guest()))
        self.assertNotIn("--screen", guests.Namsan("namsan", "soft").command(self.guest()))

    def test_a_screen_of_which_the_yardstick_knows_no_mode(self):
        with self.assertRaises(ValueError):
            guests.Qemu().command(self.guest(screen="1280x800"))

    def test_the_line_that_ends_a_run(self):
        self.assertEqual(guests.LAST_LINE.search("/ # ! READY: browser 41.20 s")["seconds"], "41.20")
        self.assertIsNone(guests.LAST_LINE.search("! PERF: kbuild 7.00 s ok")["failed"])
        self.assertTrue(guests.LAST_LINE.search("! PERF: kbuild 7.00 s failed")["failed"])
        self.assertIsNone(guests.LAST_LINE.search("! BEGIN: kbuild"))

    def test_ratios_are_of_rounds(self):
        tcg = [guests.Result(10, 20), guests.Result(40, 20), guests.Result(10, 20)]
        mine = [guests.Result(5, 10), guests.Result(10, 10), guests.Result(20, 10)]
        self.assertEqual(guests.compared("seconds", mine, tcg), ("10.0 (5.00 to 20.0)", "0.500"))
        self.assertEqual(guests.compared("cpu_seconds", mine, tcg), ("10.0", "0.500"))

    def test_unknown_rows(self):
        self.assertEqual(guests.choose("kbuild"), ["kbuild"])
        with self.assertRaises(ValueError):
            guests.choose("kbuild,nonsense")


class Records(unittest.TestCase):
    @staticmethod
    def sample(*compared):
        return {"vcpus": [{"instructions_compared": count} for count in compared]}

    def test_instructions_per_second(self):
        self.assertEqual(record.mips({"guest_instructions": 3000000, "host_seconds": 1.5}), 2)
        self.assertIsNone(record.mips({"guest_instructions": None, "host_seconds": 1.5}))

    def test_compared_instructions_by_part(self):
        written = {"samples": [self.sample(0), self.sample(900)], "workloads": [
            {"name": "gzip", "finished": True, "begin": self.sample(100), "end": self.sample(300, 50)},
            {"name": "sort", "finished": False, "begin": self.sample(400)}]}
        self.assertEqual(record.compared_instructions(written), [("boot", 100), ("gzip", 250), ("sort", 500)])
        self.assertEqual(record.compared_instructions({"samples": [self.sample(7)], "workloads": []}), [("boot", 7)])

    def test_counters_of_each_workload(self):
        def sample(instructions, misses):
            return {"vcpus": [{"instructions": instructions, "tlb_misses": misses}] * 2}

        written = {"workloads": [{"name": "fork", "finished": True, "begin": sample(10, 1), "end": sample(110, 4)},
                                 {"name": "sort", "finished": False, "begin": sample(0, 0)}]}
        self.assertEqual(record.counters_by_workload(written), {"fork": {"instructions": 200, "tlb_misses": 6}})

    def test_a_boot_that_is_repeated_counts_again(self):
        parts = {}
        lockstep.add(parts, [("boot", 100), ("gzip", 5)], "gzip", "The unit differs")
        lockstep.add(parts, [("boot", 100), ("sort", 7)], "boot", None)
        self.assertEqual(parts["boot"].compared, 200)
        self.assertEqual(parts["gzip"].difference, "The unit differs")
        self.assertIn("212 instructions compared; 1 part with a difference.", lockstep.markdown(list(parts.values()), {
            "processor": "P", "cpus": 1, "kernel": "K", "load": 0, "qemu": "Q", "namsan": "N", "started_at": "T",
            "runs": 1}))


if __name__ == "__main__":
    unittest.main()
