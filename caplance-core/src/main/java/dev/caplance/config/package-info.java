/**
 * YAML files to records. A reader asks a {@link dev.caplance.config.ConfigSection} for its keys by
 * name, type and default; all mistakes of a file are collected with their lines and columns and
 * reported together in a {@link dev.caplance.config.ConfigException}. Does not know where the
 * values are used.
 */
package dev.caplance.config;
