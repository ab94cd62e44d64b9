/** What can keep a backend from its work on a machine. */
package dev.caplance.backend.preflight;
