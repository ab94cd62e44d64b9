package dev.caplance.status;

import com.google.gson.annotations.SerializedName;
import java.util.Locale;

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

  /**
   * The intent with this word: {@code active} and so on.
   *
   * @throws IllegalArgumentException when there is none
   */
  public static ReportedIntent of(String word) {
    return valueOf(word.toUpperCase(Locale.ROOT));
  }
}
