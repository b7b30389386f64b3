"""The edge: real time, sockets, files and the command line. Everything below is pure and virtual."""
