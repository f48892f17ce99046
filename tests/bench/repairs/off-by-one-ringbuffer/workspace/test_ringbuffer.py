import unittest

from ringbuffer import RingBuffer


class RingBufferTest(unittest.TestCase):
    def setUp(self):
        self.buf = RingBuffer(4)

    def fill(self, count):
        for i in range(count):
            self.buf.push(i)

    def test_len_is_bounded(self):
        self.fill(9)
        self.assertEqual(len(self.buf), 4)
        self.assertTrue(self.buf.full())

    def test_not_full(self):
        self.fill(2)
        self.assertFalse(self.buf.full())
        self.assertEqual(len(self.buf), 2)

    def test_last_before_wrapping(self):
        self.fill(3)
        self.assertEqual(self.buf.last(2), [1, 2])

    def test_last_after_wrapping(self):
        self.fill(7)
        self.assertEqual(self.buf.last(3), [4, 5, 6])

    def test_last_of_nothing(self):
        self.assertEqual(self.buf.last(5), [])

    def test_bad_capacity(self):
        with self.assertRaises(ValueError):
            RingBuffer(0)


if __name__ == "__main__":
    unittest.main()
