package dev.caplance.status;

import com.google.gson.annotations.SerializedName;
import dev.caplance.session.Intent;

/** What a backend is meant to do with traffic. */
public enum ReportedIntent {
  /** Takes new flows. */
  @SerializedName("active")
  ACTIVE,
  /** Keeps its flows and takes no new ones. */
  @SerializedName("draining")
  DRAINING,
  /** Takes no packets and stays registered. */
  @SerializedName("paused")
  PAUSED,
  /** Has no session with any load balancer; only a backend daemon says this, of itself. */
  @SerializedName("deregistered")
  DEREGISTERED;

  /** The intent that a session carries. */
  public static ReportedIntent of(Intent intent) {
    return switch (intent) {
      case ACTIVE -> ACTIVE;
      case DRAINING -> DRAINING;
      case PAUSED -> PAUSED;
    };
  }
}
