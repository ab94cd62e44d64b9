"""Servers on the backends' hosts and clients on the client's, in child processes.

Each child process lives in its host's network namespace and does what it is told over a pipe. Times
are those of the monotonic clock, which all processes of a machine share.
"""

import asyncio
import collections
import itertools
import multiprocessing
import signal
import socket
import time

import lab

VIP = "10.77.0.50"
TCP_PORT, UDP_PORT = 7000, 7001
CLIENT = "10.77.0.10"
EXCHANGE_SECONDS, NEW_SECONDS, DATAGRAM_SECONDS = 0.25, 0.1, 0.2
FLOWS = 12  # of datagrams, which show whether each backend gets and answers what is sent to it
GIVE_UP_SECONDS = 20  # a new connection that has no answer after that has failed
TICKS = 40  # lines that a server sends over a connection that the client has closed half
IP_FREEBIND = 15

Attempt = collections.namedtuple("Attempt", "begun ended outcome backend port")
Conversation = collections.namedtuple("Conversation", "number backend port progress state")
Flow = collections.namedtuple("Flow", "port sent answers")  # answers: number → (time, backend)


class Remote:
    """An object that lives in a child process on a host; calls of its methods go there."""

    def __init__(self, host, kind, *arguments):
        self._pipe, others = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("fork").Process(
            target=_live, args=(host, kind, arguments, others), daemon=True)
        self._process.start()
        others.close()
        self._receive()

    def _receive(self):
        failure, result = self._pipe.recv()
        if failure:
            raise RuntimeError(failure)
        return result

    def __getattr__(self, method):
        def call(*arguments):
            self._pipe.send((method, arguments))
            return self._receive()
        return call

    def close(self):
        self._process.terminate()
        self._process.join()


def _live(host, kind, arguments, pipe):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it
    lab.enter(host)
    asyncio.run(_obey(kind, arguments, pipe))


async def _obey(kind, arguments, pipe):
    living = kind(*arguments)
    orders = asyncio.Queue()
    asyncio.get_running_loop().add_reader(pipe.fileno(), lambda: _take(pipe, orders))
    method, arguments = "begin", ()
    while True:
        try:
            pipe.send((None, await getattr(living, method)(*arguments)))
        except Exception as failure:  # for the parent to raise
            pipe.send((repr(failure), None))
        method, arguments = await orders.get()


def _take(pipe, orders):
    try:
        orders.put_nowait(pipe.recv())
    except EOFError:  # the parent is gone
        raise SystemExit from None


class Server:
    """Says its name to whoever connects, then echoes lines; echoes datagrams with its name.

    The line "half N" makes it wait for N seconds and then say TICKS lines, whatever the client has
    closed meanwhile.
    """

    def __init__(self, name):
        self.name = name

    async def begin(self):
        await asyncio.start_server(self._serve, "0.0.0.0", TCP_PORT, backlog=1024)
        datagrams = socket.socket(type=socket.SOCK_DGRAM)
        datagrams.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)  # the daemon adds the VIP later
        datagrams.bind((VIP, UDP_PORT))
        datagrams.setblocking(False)
        asyncio.get_running_loop().add_reader(datagrams, self._echo, datagrams)

    def _echo(self, datagrams):
        payload, client = datagrams.recvfrom(65_535)
        try:
            datagrams.sendto(self.name.encode() + b" " + payload, client)
        except OSError:
            pass  # as lost as on the way

    async def _serve(self, reader, writer):
        try:
            writer.write(self.name.encode() + b"\n")
            while line := await reader.readline():
                if line.startswith(b"half "):
                    await asyncio.sleep(float(line[5:]))
                    for number in range(TICKS):
                        writer.write(b"tick %d\n" % number)
                        await writer.drain()
                        await asyncio.sleep(EXCHANGE_SECONDS)
                    break
                writer.write(line)
        except OSError:
            pass  # the client is gone
        finally:
            writer.close()


class Clients:
    """Open connections, steady new ones, and flows of datagrams."""

    def __init__(self):
        self.open, self.numbers, self.talking = [], itertools.count(), asyncio.Event()
        self.attempts, self.pending, self.flows, self.tasks = [], set(), [], []
        self.talking.set()

    async def begin(self):
        pass

    async def converse(self, count, half=0, wait=0):
        """Opens so many connections; `half` of them are closed by the client after a line that
        makes the server wait for so many seconds and talk on."""
        for i in range(count):
            conversation = _Talk(next(self.numbers), self.talking)
            await conversation.connect()
            self.open.append(conversation)
            self.tasks.append(asyncio.create_task(
                conversation.listen(wait) if i < half else conversation.talk()))

    async def conversations(self):
        return [c.seen() for c in self.open]

    async def forget_broken(self):
        self.open = [c for c in self.open if c.state == "open"]

    async def silence(self, silent):
        """Makes the open connections say nothing, or talk again."""
        (self.talking.clear if silent else self.talking.set)()

    async def keep_trying(self):
        """Makes new connections from now on, and sends datagrams."""
        self.tasks.append(asyncio.create_task(self._try_steadily()))
        for _ in range(FLOWS):
            flow = _Datagrams()
            self.flows.append(flow)
            self.tasks.append(asyncio.create_task(flow.send()))

    async def _try_steadily(self):
        due = time.monotonic()
        while True:
            attempt = asyncio.create_task(self._try())
            self.pending.add(attempt)
            attempt.add_done_callback(self.pending.discard)
            due += NEW_SECONDS
            await asyncio.sleep(max(due - time.monotonic(), 0))

    async def _try(self):
        begun, port, backend = time.monotonic(), 0, ""
        client = socket.socket()
        client.setblocking(False)
        try:
            async with asyncio.timeout(GIVE_UP_SECONDS):
                await asyncio.get_running_loop().sock_connect(client, (VIP, TCP_PORT))
                port = client.getsockname()[1]
                said = await asyncio.get_running_loop().sock_recv(client, 64)
                backend = said.decode().strip()
                outcome = "answered" if backend else "closed"
        except OSError as failure:
            outcome = _outcome(failure)
        finally:
            client.close()
        self.attempts.append(Attempt(begun, time.monotonic(), outcome, backend, port))

    async def settle(self):
        """Waits until the attempts that have begun have ended."""
        if self.pending:
            await asyncio.wait(set(self.pending))

    async def tried(self, since):
        """The attempts that began since then and have ended."""
        return [attempt for attempt in self.attempts if attempt.begun >= since]

    async def datagrams(self):
        return [Flow(flow.port, flow.sent, flow.answers) for flow in self.flows]


def _outcome(failure):
    if isinstance(failure, TimeoutError):
        return "timeout"
    if isinstance(failure, ConnectionRefusedError):
        return "refused"
    return "reset" if isinstance(failure, ConnectionResetError) else repr(failure)


class _Talk:
    """A connection that stays open."""

    def __init__(self, number, talking):
        self.number, self.talking = number, talking
        self.state, self.progress, self.backend, self.port = "open", 0.0, "", 0

    def seen(self):
        return Conversation(self.number, self.backend, self.port, self.progress, self.state)

    async def connect(self):
        async with asyncio.timeout(lab.PATIENCE):
            self.reader, self.writer = await asyncio.open_connection(VIP, TCP_PORT)
            self.port = self.writer.get_extra_info("sockname")[1]
            self.backend = (await self.reader.readline()).decode().strip()
        self.progress = time.monotonic()

    async def talk(self):
        try:
            for number in itertools.count():
                await self.talking.wait()
                line = b"%d\n" % number
                self.writer.write(line)
                answer = await self.reader.readline()
                if answer != line:
                    self.state = "closed" if not answer else f"heard {answer}"
                    return
                self.progress = time.monotonic()
                await asyncio.sleep(EXCHANGE_SECONDS)
        except OSError as failure:
            self.state = _outcome(failure)

    async def listen(self, wait):
        try:
            self.writer.write(b"half %d\n" % wait)
            self.writer.write_eof()
            for number in range(TICKS):
                if await self.reader.readline() != b"tick %d\n" % number:
                    self.state = "closed"
                    return
                self.progress = time.monotonic()
            self.progress = float("inf")
        except OSError as failure:
            self.state = _outcome(failure)


class _Datagrams:
    """A flow of datagrams, each of which should be answered."""

    def __init__(self):
        self.sent, self.answers = [], {}
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind((CLIENT, 0))
        self.port = self.socket.getsockname()[1]
        asyncio.get_running_loop().add_reader(self.socket, self._hear)

    def _hear(self):
        try:
            name, number = self.socket.recv(256).split()
            self.answers[int(number)] = (time.monotonic(), name.decode())
        except OSError:
            pass  # an ICMP error

    async def send(self):
        while True:
            number = len(self.sent)
            self.sent.append(time.monotonic())
            try:
                self.socket.sendto(b"%d" % number, (VIP, UDP_PORT))
            except OSError:
                pass  # an ICMP error for an earlier one
            await asyncio.sleep(DATAGRAM_SECONDS)
