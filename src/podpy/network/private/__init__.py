"""Networks of one container alone: pasta and slirp4netns."""
