"""Networks of one container alone: pasta and slirp4netns.

StartPasta, WaitForPasta and StartSlirp, WaitForSlirp are operations. A program is started when the namespace is there,
and waited for when conmon is ready. It has /dev/null and its own sockets, nothing of the caller's. It ends with the
container.
"""
