import unittest

from audio import Channel, Mixer


class EmptyMixer(unittest.TestCase):
    def test_no_channels(self):
        self.assertEqual(Mixer().channels, {})

    def test_unknown_channel(self):
        with self.assertRaises(KeyError):
            Mixer().fade("drums", 10, 2)

    def test_silence(self):
        self.assertIsNone(Mixer().loudest())


class Volume(unittest.TestCase):
    def test_default(self):
        self.assertEqual(Channel("drums").volume, 80)

    def test_bounds(self):
        self.assertEqual(Channel("drums", 140).volume, 100)
        self.assertEqual(Channel("drums", -3).volume, 0)

    def test_mute_keeps_volume(self):
        drums = Channel("drums", 60)
        drums.mute()
        self.assertEqual(drums.volume, 0)
        drums.unmute()
        self.assertEqual(drums.volume, 60)

    def test_fade(self):
        mixer = Mixer(Channel("bass", 100))
        self.assertEqual(mixer.fade("bass", 0, 4), [75, 50, 25, 0])

    def test_loudest(self):
        self.assertEqual(Mixer(Channel("a", 10), Channel("b", 20)).loudest(), "b")
