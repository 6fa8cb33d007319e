#!/usr/bin/env python3
"""What scripts/mutate takes for a fault, and what it leaves alone."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import mutate  # noqa: E402


def faults(text):
    return [(f.line, f.after) for f in mutate.faults_of("src/run/x.cc", text)]


class Faults(unittest.TestCase):
    def test_a_condition_is_negated(self):
        self.assertEqual(faults("  if (ready(a)) {\n"), [(1, "if (!(ready(a))) {")])
        self.assertEqual(faults("  if (auto x = f(); !x) {\n"), [(1, "if (auto x = f(); !(!x)) {")])

    def test_a_condition_that_declares_is_left_alone(self):
        self.assertEqual(faults("  if (const auto* end = find(a)) {\n"), [])

    def test_a_bound_is_moved(self):
        self.assertEqual(
            faults("  while (a < b) {\n"), [(1, "while (!(a < b)) {"), (1, "while (a <= b) {")]
        )
        self.assertIn((1, "x = y;"), faults("  x = y + 1;\n"))

    def test_a_statement_is_left_out(self):
        self.assertEqual(faults("{\n  commit();\n}\n"), [(2, "")])
        self.assertIn((2, ""), faults("{\n  if (a) stop();\n}\n"))
        self.assertEqual(faults("{\n  ++count_;\n}\n"), [(2, "")])

    def test_declarations_and_parts_of_statements_stay(self):
        self.assertEqual(faults("{\n  const int a = b;\n  f(a,\n    g(b));\n}\n"), [])
        self.assertEqual(faults("{\n  return a;\n}\n"), [])

    def test_the_text_of_literals_and_comments_stays(self):
        self.assertEqual(faults('{\n  const char* a = "x < y";  // a < b\n}\n'), [])
        self.assertEqual(faults('const char* k = R"SH(\nif (a < b)\n  f();\n)SH";\n'), [])
        self.assertEqual(faults("// if (a < b)\n"), [])

    def test_a_fault_is_known_by_its_text_not_by_its_line(self):
        fault = mutate.Fault("src/run/x.cc", 7, "commit();", "")
        self.assertEqual(fault.name(), "src/run/x.cc: commit(); -> (left out)")
        self.assertEqual(mutate.equivalent_faults(f"# why\n{fault.name()}\n  no effect:\n  cached\n"), {fault.name(): "no effect: cached"})

    def test_every_room_has_enough_faults(self):
        for room in mutate.ROOMS:
            self.assertGreater(len(list(mutate.all_faults(mutate.ROOT, room))), 100, room)

    def test_every_equivalent_fault_exists_and_has_a_reason(self):
        known = {fault.name() for room in mutate.ROOMS for fault in mutate.all_faults(mutate.ROOT, room)}
        for name, reason in mutate.equivalent_faults(mutate.EQUIVALENT.read_text(encoding="utf-8")).items():
            self.assertIn(name, known)
            self.assertNotEqual(reason, "", name)


if __name__ == "__main__":
    unittest.main()
