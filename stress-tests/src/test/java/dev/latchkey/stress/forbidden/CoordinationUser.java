package dev.latchkey.stress.forbidden;

import dev.latchkey.coordination.Lock;

/** Stands for a class of the cache that uses coordination. */
final class CoordinationUser {
    Lock lock;
}
