/**
 * Where log messages go and how they look. The rest of the program logs through SLF4J and knows
 * nothing of this package, but for the one call of {@link
 * dev.caplance.logging.Logging#configure(dev.caplance.config.LoggingConfig)} when a daemon starts.
 */
package dev.caplance.logging;
