package dev.caplance.control;

/**
 * The process at the other end of a control connection, as the kernel recorded it when the process
 * connected ({@code SO_PEERCRED}, see unix(7)).
 *
 * @param uid effective user id, 0 to 2^32 - 1
 * @param gid effective group id, 0 to 2^32 - 1
 * @param pid process id; the process may have ended since
 */
public record Caller(long uid, long gid, int pid) {

  @Override
  public String toString() {
    return "uid " + uid + ", gid " + gid + ", pid " + pid;
  }
}
