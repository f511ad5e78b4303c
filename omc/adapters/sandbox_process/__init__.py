"""The second wall: a process for people's code, without network, files, children or spare resources. Linux only."""
