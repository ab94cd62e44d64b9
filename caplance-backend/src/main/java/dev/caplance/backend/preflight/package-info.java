/** The preflight checks of a backend. */
package dev.caplance.backend.preflight;
