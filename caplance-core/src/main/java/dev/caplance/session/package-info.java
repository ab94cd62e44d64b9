/**
 * Sessions between backends and load balancers: lines over TCP, the messages in them and their one
 * codec, and the event loop that carries them. What a message leads to is unknown here.
 */
package dev.caplance.session;
