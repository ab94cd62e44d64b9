/** The control methods of the backend daemon: its status, and the commands to it. */
package dev.caplance.backend.admin;
