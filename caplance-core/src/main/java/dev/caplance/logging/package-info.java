/**
 * Where log messages go and what they look like. The rest of the program logs through SLF4J and
 * does not know this package, except for the one call of {@link
 * dev.caplance.logging.Logging#configure(dev.caplance.config.LoggingConfig)} when a daemon starts.
 */
package dev.caplance.logging;
