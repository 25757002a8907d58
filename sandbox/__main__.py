"""The sandbox as a program: `python -m sandbox --telegram-port N --http-port M --key FILE`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

import uvloop

from sandbox.sandbox import Sandbox


def main() -> None:
    options = read_options()
    logging.basicConfig(level=logging.WARNING)
    try:
        uvloop.run(serve(options))
    except OSError as exc:
        sys.exit(f"sandbox: {exc}")


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Telegram, Planfix and TeamFlame on loopback, in memory.",
    )
    parser.add_argument("--telegram-port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--http-port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--key", type=Path, required=True, help="file for the RSA public key (PEM)")
    return parser.parse_args()


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with Sandbox(options.telegram_port, options.http_port, print_code) as sandbox:
        await asyncio.to_thread(options.key.write_text, sandbox.data_centre.public_key_pem)
        print_line(f"Telegram: {sandbox.data_centre.host}:{sandbox.data_centre.port}")
        print_line(f"HTTP: {sandbox.http_url}")
        print_line("READY")
        await ended.wait()


def print_code(code: str) -> None:
    print_line(f"Code: {code}")


def print_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
