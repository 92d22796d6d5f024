package dev.latchkey.coordination;

import dev.latchkey.cache.spi.WrongKindException;

/** A name is in use as another kind of thing: one name, one thing. Choose another name. */
public final class NameInUseException extends CoordinationException {
    private static final long serialVersionUID = 1L;

    /**
     * A clash.
     *
     * @param cause names the name and both kinds
     */
    NameInUseException(WrongKindException cause) {
        super(String.valueOf(cause.getMessage()), cause);
    }
}
