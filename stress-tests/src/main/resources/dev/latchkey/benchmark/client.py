"""A process that uses python-diskcache and does what the driver tells it; see Client.java."""

import mmap
import os
import sqlite3
import struct
import sys
import threading
import time
import zlib
from collections import Counter

import diskcache

directory, _, process = sys.argv[1:4]
KEYS = 100
STRIDE = 7919
READS_BETWEEN = 20
MANY = 100
PADDING = ":0123456789abcdef"
COMPUTING_SECONDS = 0.05
USES = 200
USERS = 4

cache = diskcache.Cache(directory)
deque = diskcache.Deque(directory=os.path.join(directory, "deque"))
locks = {}
newest = 0
gun = threading.Event()
saying = threading.Lock()


def say(line):
    with saying:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def value(number):
    return "%d%s" % (number, PADDING)


def number_of(text):
    assert text.endswith(PADDING), text
    return int(text[: text.index(":")])


def key(thread, count):
    return "s%s.%d.%d" % (process, thread, count)


def lock(name):
    if name not in locks:
        locks[name] = diskcache.Lock(cache, name)
    return locks[name]


class Get:
    def __init__(self, thread, parameter):
        self.keys = -parameter if parameter < 0 else KEYS
        self.next = 0
        self.reads = 0
        self.found = 0
        self.changes = 0

    @property
    def last(self):
        return "changes=%d" % self.changes

    def timed(self):
        i = 0
        if self.reads % READS_BETWEEN:
            i = self.next = (self.next + STRIDE) % self.keys
        self.reads += 1
        least = newest if i == 0 else 0
        name = "k%d" % i
        start = time.perf_counter_ns()
        found = cache.get(name)
        took = time.perf_counter_ns() - start
        number = number_of(found)
        assert number >= least and (i == 0 or number == i), (name, found, least)
        if i == 0 and number != self.found:
            self.changes += 1
            self.found = number
        return took


class GetMissing:
    last = None

    def __init__(self, thread, parameter):
        self.next = 0

    def timed(self):
        self.next = (self.next + 1) % KEYS
        name = "missing%d" % self.next
        start = time.perf_counter_ns()
        found = cache.get(name)
        took = time.perf_counter_ns() - start
        assert found is None, (name, found)
        return took


class Set:
    def __init__(self, thread, parameter):
        self.thread = thread
        self.keys = -parameter
        self.count = 0

    def key(self):
        if self.keys > 0:
            return "k%d" % (self.count * STRIDE % self.keys)
        return key(self.thread, self.count % KEYS)

    @property
    def last(self):
        return "%s=%s" % (self.key(), value(self.count))

    def timed(self):
        self.count += 1
        name = self.key()
        text = value(self.count)
        start = time.perf_counter_ns()
        cache.set(name, text, retry=True)
        return time.perf_counter_ns() - start


class SetNew(Set):
    def key(self):
        return key(self.thread, self.count)


class SetAll(Set):
    """There is no such call; this is how it is done in one transaction."""

    def timed(self):
        entries = []
        for _ in range(MANY):
            self.count += 1
            entries.append((self.key(), value(self.count)))
        start = time.perf_counter_ns()
        with cache.transact(retry=True):
            for name, text in entries:
                cache.set(name, text)
        return time.perf_counter_ns() - start


class SetBytes:
    def __init__(self, thread, parameter):
        self.value = bytearray(os.urandom(parameter))
        self.count = 0

    @property
    def last(self):
        return "sum-of-bytes=%d" % zlib.crc32(self.value)

    def timed(self):
        self.count += 1
        self.value[(self.count - 1) % len(self.value)] = self.count % 256
        value = bytes(self.value)
        start = time.perf_counter_ns()
        cache.set("bytes", value, retry=True)
        return time.perf_counter_ns() - start


class Lock:
    def __init__(self, thread, parameter):
        self.hold = max(0, parameter)
        self.names = -parameter if parameter < 0 else 1
        self.count = 0
        file = os.open(os.path.join(directory, "tally"), os.O_RDWR | os.O_CREAT)
        if os.fstat(file).st_size < 8:
            os.ftruncate(file, 8)
        self.tally = mmap.mmap(file, 8)

    @property
    def last(self):
        return "tally=%d" % self.count

    def timed(self):
        name = "lock%d" % (self.count % self.names)
        mine = lock(name)
        start = time.perf_counter_ns()
        mine.acquire()
        granted = time.perf_counter_ns()
        counted = struct.unpack("<q", self.tally[:8])[0]
        while time.perf_counter_ns() - granted < self.hold:
            pass
        self.tally[:8] = struct.pack("<q", counted + 1)
        self.count += 1
        mine.release()
        return (granted if self.hold else time.perf_counter_ns()) - start


class Deque:
    last = "deque=null"

    def __init__(self, thread, parameter):
        self.count = 0

    def timed(self):
        self.count += 1
        text = value(self.count)
        start = time.perf_counter_ns()
        deque.append(text)
        polled = deque.popleft()
        took = time.perf_counter_ns() - start
        assert polled == text, (polled, text)
        return took


class Pass:
    last = None

    def __init__(self, thread, parameter):
        # the recipe fills the bucket anew when it is made
        self.passed = diskcache.throttle(cache, 1, 1.0 / parameter, name="throttle")(lambda: None)

    def timed(self):
        start = time.perf_counter_ns()
        self.passed()
        return time.perf_counter_ns() - start


OPERATIONS = {
    "get": Get,
    "get-missing": GetMissing,
    "set": Set,
    "set-new": SetNew,
    "set-all": SetAll,
    "set-async": Set,
    "set-bytes": SetBytes,
    "lock": Lock,
    "deque": Deque,
    "pass": Pass,
}


def rounded(nanos):
    digits = len(str(nanos)) - 3
    return nanos if digits <= 0 else nanos // 10**digits * 10**digits


def result(latencies, count, nanos, last):
    buckets = Counter(rounded(latency) for latency in latencies)
    text = " ".join("%d:%d" % bucket for bucket in sorted(buckets.items()))
    say("RESULT %d %d %s %s" % (count, nanos, last, text))


def or_die(task):
    def run(*arguments):
        try:
            task(*arguments)
        except BaseException:
            import traceback

            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)

    return run


@or_die
def work(operation, warm, nanos, warm_up, latencies, times, window):
    timed = operation.timed
    now = time.perf_counter_ns
    end = now() + warm_up
    while now() < end:
        timed()
    warm.release()
    gun.wait()
    start = now()
    while True:  # once at least
        latencies.append(timed())
        if times is not None:
            times.append(time.monotonic_ns())
        if now() >= start + nanos:
            break
    window.append((start, now()))


@or_die
def measure(word, threads, warm_up, nanos, parameter):
    operations = [OPERATIONS[word](i, parameter) for i in range(threads)]
    latencies = [[] for _ in range(threads)]
    times = [] if word == "pass" else None
    warm = threading.Semaphore(0)
    windows = []
    running = [
        threading.Thread(target=work, args=(operations[i], warm, nanos, warm_up, latencies[i], times, windows))
        for i in range(threads)
    ]
    for thread in running:
        thread.start()
    for _ in running:
        warm.acquire()
    say("READY")
    gun.wait()
    for thread in running:
        thread.join()
    took = max(end for _, end in windows) - min(start for start, _ in windows)
    if times:
        say("TIMES " + " ".join(map(str, times)))
    last = ";".join(filter(None, (operation.last for operation in operations))) or "-"
    everything = [latency for some in latencies for latency in some]
    result(everything, len(everything), took, last)


@or_die
def memoize(name, threads):
    computed = []
    latencies = []

    @diskcache.memoize_stampede(cache, expire=3600, name=name)
    def function():
        computed.append(1)
        time.sleep(COMPUTING_SECONDS)
        return 4711

    def ask():
        gun.wait()
        start = time.perf_counter_ns()
        assert function() == 4711
        latencies.append(time.perf_counter_ns() - start)

    running = [threading.Thread(target=or_die(ask)) for _ in range(threads)]
    for thread in running:
        thread.start()
    say("READY")
    gun.wait()
    start = time.perf_counter_ns()
    for thread in running:
        thread.join()
    result(latencies, len(computed), time.perf_counter_ns() - start, "-")


def pragmas():
    names = ("synchronous", "journal_mode", "wal_autocheckpoint")
    return ", ".join("%s %s" % (name, cache._sql("PRAGMA " + name).fetchone()[0]) for name in names)


def resident_kib():
    with open("/proc/self/status") as status:
        return sum(float(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def use(some, counted):
    """By threads that last until it is counted what they have opened."""
    used = threading.Semaphore(0)

    def user(prefix):
        for i in range(USES):
            some.set("%d.%d" % (prefix, i), value(i), retry=True)
            assert some.get("%d.%d" % (prefix, i)) == value(i)
        used.release()
        counted.wait()

    users = [threading.Thread(target=or_die(user), args=(i,)) for i in range(USERS)]
    for one in users:
        one.start()
    for _ in users:
        used.acquire()
    return users


def finish(users):
    for user in users:
        user.join()


def openings(count):
    counted = threading.Event()
    counted.set()
    folders = [os.path.join(directory, "open%d" % i) for i in range(count)]
    for folder in folders:
        with diskcache.Cache(folder) as one:
            finish(use(one, counted))
    descriptors = len(os.listdir("/proc/self/fd"))
    resident = resident_kib()
    latencies = []
    opened = []
    for folder in folders:
        start = time.perf_counter_ns()
        opened.append(diskcache.Cache(folder))
        latencies.append(time.perf_counter_ns() - start)
    counted.clear()
    users = [user for one in opened for user in use(one, counted)]
    descriptors = (len(os.listdir("/proc/self/fd")) - descriptors) / count
    resident = (resident_kib() - resident) / count
    counted.set()
    finish(users)
    for one in opened:
        one.close()
    say("OTHERS descriptors=%f resident_KiB=%f" % (descriptors, resident))
    result(latencies, count, sum(latencies), "-")


def background(task, *arguments):
    gun.clear()
    threading.Thread(target=task, args=arguments, daemon=True).start()


def obey(words):
    global newest, snapshot
    command = words[0]
    if command == "set":
        cache.set(words[1], words[2], retry=True)
        say("SET")
    elif command == "fill":
        count = int(words[1])
        for first in range(0, count, MANY):
            with cache.transact(retry=True):
                for i in range(first, min(count, first + MANY)):
                    cache.set("k%d" % i, value(i))
        say("FILLED %d" % count)
    elif command == "expect":
        newest = int(words[1])
    elif command == "get":
        say("GOT %s" % cache.get(words[1]))
    elif command == "sum":
        say("GOT %d" % zlib.crc32(cache.get(words[1])))
    elif command == "poll":
        say("GOT %s" % (deque.popleft() if len(deque) else "null"))
    elif command == "limit":
        cache.reset("size_limit", cache.volume())
        say("LIMITED")
    elif command == "count":
        say("COUNTED %d" % len(cache))
    elif command == "snapshot":
        snapshot = sqlite3.connect(os.path.join(directory, "cache.db"), isolation_level=None)
        snapshot.execute("BEGIN")
        snapshot.execute("SELECT COUNT(*) FROM Cache").fetchone()
        say("SNAPSHOT")
    elif command == "forget":
        snapshot.close()
        say("FORGOTTEN")
    elif command == "acquire":
        lock(words[1]).acquire()
        say("HELD %d" % time.monotonic_ns())
    elif command == "release":
        before = time.monotonic_ns()
        lock(words[1]).release()
        say("FREED %d" % before)
    elif command == "settings":
        say("SETTINGS " + pragmas())
    elif command in ("jmh", "measure"):  # there is no JMH for Python: the plain loop
        background(measure, words[1], int(words[2]), int(words[3]) * 10**6, int(words[4]) * 10**6, int(words[5]))
    elif command == "memoize":
        background(memoize, words[1], int(words[2]))
    elif command == "open":
        openings(int(words[2]))
    elif command == "GO":
        gun.set()
    elif command == "halt":
        os._exit(0)
    else:
        raise ValueError(words)


say("OPEN")
for line in sys.stdin:
    obey(line.split())
os._exit(125)
