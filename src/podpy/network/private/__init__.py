"""A container's private network: pasta and slirp4netns.

StartPasta, WaitForPasta and StartSlirp, WaitForSlirp are operations. The program is started when the namespace exists,
and waited for when conmon is ready. It has only /dev/null and its own sockets, no descriptor of the caller. It ends
with the container.
"""
