"""A process of python-diskcache among the JVMs of a run.

It does what dev.latchkey.stress.worker.PythonScenario does, and understands and writes the same lines: a history of which
every line is with the kernel before it goes on, so that a kill loses none, and reports to the referee.
"""

import faulthandler
import os
import random
import re
import signal
import socket
import sys
import threading
import time
import zlib

faulthandler.register(signal.SIGQUIT)  # where a JVM would dump its threads

import diskcache

DIRECTORY, PROCESS, SEED, HISTORY, PORT, FIRST_NUMBER, LIFETIME = sys.argv[1:]
MOST_ITEMS = 1_000_000_000
SMALL, INLINE, LARGE = 200, 32_000, 100_000
HEADER = re.compile(rb'balance=(-?\d{1,18});crc=([0-9a-f]{8});')
TIMED_OUT, ORPHANED = 124, 125

dice = random.Random(int(SEED))
history = os.open(HISTORY, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
last_number = int(FIRST_NUMBER)
gun = threading.Event()
stopping = threading.Event()
fuse = None


def write(kind, operation, *arguments, thread='t0'):
    words = [re.sub(r'\s+', '_', str(argument)) for argument in arguments]
    line = ' '.join([str(time.monotonic_ns()), thread, kind, operation] + words) + '\n'
    os.write(history, line.encode('utf-8', 'replace'))


class Referee:
    def __init__(self):
        self.lines = socket.create_connection(('127.0.0.1', int(PORT))).makefile('rw', newline='\n')
        self.say('HELLO ' + PROCESS)

    def say(self, line):
        self.lines.write(line + '\n')
        self.lines.flush()
        answer = self.lines.readline().rstrip('\n')
        if answer != 'OK':
            raise RuntimeError("the referee answered '%s' to '%s'" % (answer, line))


class Failed(Exception):
    """Why an operation did not do what it was to do, as documented."""


def attempt(operation, call, *arguments):
    """Runs one operation and writes down how it began and ended; None if it did not succeed."""
    write('INVOKE', operation, *arguments)
    if fuse is not None:
        fuse.set()
    try:
        result = call()
    except Failed as reason:
        write('FAIL', operation, reason)
    except Exception as error:
        write('ERROR', operation, repr(error))
        print('ERROR', flush=True)
    else:
        write('OK', operation, *result)
        return result
    return None


def die(micros):
    """SIGKILL, so many microseconds after the next operation has begun."""
    fuse.wait()
    time.sleep(micros / 1e6)
    executioner.say('CONDEMN ' + PROCESS)
    write('NOTE', 'dying', 'operation', micros, thread='executioner')
    os.kill(os.getpid(), signal.SIGKILL)


def listen():
    global fuse
    for line in sys.stdin:
        words = line.split()
        if words[0] == 'GO':
            gun.set()
        elif words[0] == 'stop':
            stopping.set()
        elif words[0] == 'die' and fuse is None:
            fuse = threading.Event()
            threading.Thread(target=die, args=(int(words[2]),), daemon=True).start()
    os._exit(ORPHANED)


def expire():
    time.sleep(float(LIFETIME))
    os._exit(TIMED_OUT)


def encode(number, padding):
    content = os.urandom(padding)
    return b'balance=%d;crc=%08x;' % (number, zlib.crc32(content)) + content


def decode(value):
    """The number; None if the bytes are not what was once encoded."""
    header = HEADER.match(value)
    if header and b'%08x' % zlib.crc32(value[header.end():]) == header.group(2):
        return int(header.group(1))
    return None


def next_number():
    global last_number
    last_number += 1
    return last_number


def padding():
    most = dice.choice((SMALL, SMALL, INLINE, LARGE))
    return INLINE + 1_000 + dice.randrange(LARGE - INLINE) if most == LARGE else dice.randrange(most)


def store(key, expire=None):
    number, size = next_number(), padding()

    def call():
        cache.set(key, encode(number, size), expire=expire, retry=True)
        return ()

    attempt('store', call, key, number, size)


def read(key):
    """Python may miss an entry that is being replaced; that is its own affair."""

    def call():
        value = cache.get(key, retry=True)
        if value is None:
            raise Failed('missing')
        number = decode(value)
        return ('damaged' if number is None else number,)

    attempt('read', call, key)


def push(queue, side):
    number, size = next_number(), padding()

    def call():
        cache.push(encode(number, size), prefix=prefix(queue), side=side, retry=True)
        return ()

    attempt('push', call, queue, side.upper(), number // MOST_ITEMS, number % MOST_ITEMS, size)


def pull(queue, side):
    def call():
        key, value = cache.pull(prefix=prefix(queue), side=side, retry=True)
        if key is None:
            raise Failed('none')
        number = decode(value)
        if number is None:
            raise RuntimeError('damaged')
        return 'from-%d' % (number // MOST_ITEMS), number % MOST_ITEMS

    item = attempt('pull', call, queue, side.upper())
    if item is not None:
        referee.say('ONCE %s %d' % item)


def prefix(queue):
    return None if queue == 'integers' else queue


def count(key):
    if dice.randrange(3) == 0:
        attempt('get', lambda: (cache.get(key, default=0, retry=True),), key)
    else:
        value = attempt('incr', lambda: (cache.incr(key, retry=True),), key, 1)
        if value is not None:
            referee.say('ONCE %s %d' % (key, value[0]))


def fix():
    """Python's check stumbles over files and folders that come and go while it looks at them."""

    def call():
        try:
            return (len(cache.check(fix=True, retry=True)),)
        except OSError as error:
            raise Failed(error.strerror)

    attempt('fix', call)


def do_rare_things():
    rare = dice.randrange(12)
    if rare == 0:
        attempt('cull', lambda: (cache.cull(retry=True),))
    elif rare == 1:
        attempt('expire', lambda: (cache.expire(retry=True),))
    elif rare < 5:
        fix()
    elif rare < 8:
        key = entry()
        attempt('remove', lambda: (cache.delete(key, retry=True),), key)
    else:
        store(entry(), expire=dice.random() / 5)


def entry():
    return 'entry-%d' % dice.randrange(12)


def step():
    kind = dice.randrange(12)
    if kind == 0:
        push('in-order', 'back')
    elif kind == 1:
        pull('in-order', 'front')
    elif kind == 2:
        push('integers', dice.choice(('front', 'back')))
    elif kind == 3:
        pull('integers', dice.choice(('front', 'back')))
    elif kind < 6:
        count('counter-%d' % dice.randrange(2))
    elif kind < 8:
        store(entry())
    elif kind == 8:
        read(entry())
    elif kind == 9:
        read('kept-%d' % dice.randrange(4))
    elif kind == 10:
        do_rare_things()
    else:
        time.sleep(dice.random() / 500)


def opened():
    global cache
    cache = diskcache.Cache(DIRECTORY)
    return ()


def closed():
    cache.close()
    return ()


referee = Referee()
executioner = Referee()
cache = None
threading.Thread(target=listen, daemon=True).start()
threading.Thread(target=expire, daemon=True).start()
print('READY', flush=True)
gun.wait()
while not stopping.is_set():
    if attempt('open', opened) is not None:
        for _ in range(20 + dice.randrange(200)):
            if stopping.is_set():
                break
            step()
        attempt('close', closed)
os._exit(0)  # not by returning: a thread that reads from stdin would crash the interpreter
