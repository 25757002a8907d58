"""Proxies on loopback, as clients of Telegram use them: SOCKS5, HTTP CONNECT, MTProxy."""
