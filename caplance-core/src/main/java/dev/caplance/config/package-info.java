/**
 * YAML files to records. A reader asks a {@link dev.caplance.config.ConfigSection} for its keys by
 * name, type and default; every mistake of a file is collected with its line and column and
 * reported at once in a {@link dev.caplance.config.ConfigException}. Knows nothing of where the
 * values are used.
 */
package dev.caplance.config;
