"""The second runtime behind the kubelet's contract: containers are real processes of this machine.

They run as the user who started `minik8s up`, on this machine's disk and network: it is not isolation. What an image's
program becomes here stands in `programs.json`; every pod has a loopback address of its own where the system has them.

runtime.py     the contract: sandboxes, starting, stopping, measuring
container.py   one container: its main process, exec and attach
child.py       a process with its pipes or terminal, on POSIX and Windows
rootfs.py      the container's files as real files, and how its paths are found there
addresses.py   a pod's address and ports here
wires.py       connections to what listens there; proxy.py: names and addresses of the cluster for those inside
reaper.py      ends everything, also when `minik8s up` itself is killed
programs/      stand-ins for servers that this machine does not have; python/: what Python programs are given
"""
