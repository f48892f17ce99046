"""What runs inside a container: the agent, process 1, which takes attempts over a socket and says what became of them.

It goes into the container as a zip archive and is run by the image's own interpreter, so it uses nothing but the standard library, of
Python 3.8 and later, and of suture nothing else but what being a forked program takes (`local.warm.program`). It runs no line that a
workspace or a policy wrote inside its own process.

Fast mode: a child of the agent, the stem (`main`), has a user namespace in which it lays once what attempts have in common. An attempt is
a child of it in mount, pid and IPC namespaces of its own (`kernel`, `view`), without any right; when that child ends, the kernel ends all
of the attempt, and the container is as it was. A zygote (`breeding`, `zygote`) is a program that has a check's tool loaded; attempts are
then forked from it instead of started, and are otherwise the same.

Strict mode: the container has one attempt, no namespace is made, nothing is mounted, and the workspace is copied into memory (`copying`).
What runs the command and watches it is the same for both (`attempt`, `command`).
"""
