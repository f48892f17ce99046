import unittest

from linkmap.graph import clicks, dead_links, orphans, reachable

SITE = {
    "home": ["news", "about"],
    "news": ["home", "archive"],
    "archive": ["news"],
    "about": [],
    "draft": ["about", "gone"],
}


class GraphTest(unittest.TestCase):
    def test_reachable_from_home(self):
        self.assertEqual(reachable(SITE, "home"), {"home", "news", "about", "archive"})

    def test_reachable_from_a_leaf(self):
        self.assertEqual(reachable(SITE, "about"), {"about"})

    def test_reachable_twice(self):
        first = reachable(SITE, "archive")
        self.assertEqual(first, {"archive", "news", "home", "about"})
        self.assertEqual(reachable(SITE, "archive"), first)

    def test_reachable_with_pages_that_were_seen(self):
        seen = {"news"}
        reachable(SITE, "home", seen)
        self.assertEqual(seen, {"news", "home", "about"})

    def test_reachable_with_an_empty_set(self):
        seen = set()
        self.assertIs(reachable(SITE, "about", seen), seen)
        self.assertEqual(seen, {"about"})

    def test_orphans(self):
        self.assertEqual(orphans(SITE, "home"), ["draft"])

    def test_orphans_of_another_site(self):
        self.assertEqual(orphans({"home": [], "draft": [], "news": []}, "home"), ["draft", "news"])

    def test_dead_links(self):
        self.assertEqual(dead_links(SITE), [("draft", "gone")])

    def test_clicks(self):
        self.assertEqual(clicks(SITE, "home", "archive"), 2)
        self.assertEqual(clicks(SITE, "home", "home"), 0)
        self.assertIsNone(clicks(SITE, "about", "home"))


if __name__ == "__main__":
    unittest.main()
