/**
 * What the daemons answer on their control sockets. The daemons write these records as JSON, {@code
 * caplancectl} reads them; other programs that read the JSON may rely on the following.
 *
 * <table>
 *   <caption>Control methods and their results</caption>
 *   <tr><th>Daemon</th><th>Method</th><th>Result</th></tr>
 *   <tr><td>load balancer</td><td>{@code status}</td>
 *     <td>{@link dev.caplance.status.LoadBalancerStatus}</td></tr>
 *   <tr><td>load balancer</td><td>{@code explain}</td>
 *     <td>{@link dev.caplance.status.FlowExplanation}</td></tr>
 *   <tr><td>load balancer</td><td>{@code whatif}</td>
 *     <td>{@link dev.caplance.status.WhatIfResult}</td></tr>
 *   <tr><td>backend</td><td>{@code status}, {@code health}</td>
 *     <td>{@link dev.caplance.status.BackendDaemonStatus}</td></tr>
 *   <tr><td>backend</td>
 *     <td>{@code pause}, {@code drain}, {@code resume}, {@code deregister}</td>
 *     <td>{@link dev.caplance.status.CommandOutcome}</td></tr>
 * </table>
 *
 * <p><b>Writing.</b> A record is an object whose members have the names of its components, in their
 * order. A daemon writes every member; where it has no value, the member is {@code null}. Only an
 * empty {@code Optional} is absent. An enum constant is the word in its {@code SerializedName}. The
 * names of constants are the words for people, who read {@code healthy} where the JSON says {@code
 * fit}. Times are ISO 8601 in UTC. Counts and bytes are whole numbers since the daemon's start. A
 * member whose name ends in {@code Millis} is an age or a time left in milliseconds.
 *
 * <p><b>Reading.</b> The daemon may be older or newer than the reader. Unknown members are ignored.
 * A member that is missing or of another type and a word that is unknown are read as null, or as an
 * empty list or map, or as a record of these. This is why no component is of a primitive type. See
 * {@link dev.caplance.status.StatusJson}.
 */
package dev.caplance.status;
