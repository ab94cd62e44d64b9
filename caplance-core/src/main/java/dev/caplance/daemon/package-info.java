/** The life of a daemon process, from its start to its exit status. */
package dev.caplance.daemon;
