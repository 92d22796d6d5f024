/** Classes that break one rule of the architecture each, to show that the rules can fail. */
package dev.latchkey.stress.forbidden;
