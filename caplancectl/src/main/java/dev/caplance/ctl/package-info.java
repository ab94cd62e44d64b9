/**
 * The operator's command line: calls a daemon's control methods and prints the answers, which are
 * the records of {@link dev.caplance.status}, as text.
 */
package dev.caplance.ctl;
