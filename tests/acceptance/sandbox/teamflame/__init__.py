"""The sandbox's TeamFlame over real sockets."""
