package dev.caplance.status;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.google.gson.annotations.SerializedName;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Writes the records of this package as JSON and reads them, as the package's description says. Any
 * thread may call.
 *
 * <p>Gson's own mapping of classes is not used: it rejects a whole record for one member of another
 * type, and to load it takes a tenth of the time of a whole command of {@code caplancectl}.
 */
public final class StatusJson {

  private StatusJson() {}

  /** The JSON of a record of this package. */
  public static JsonObject write(Record value) {
    JsonObject object = new JsonObject();
    for (RecordComponent component : value.getClass().getRecordComponents()) {
      Object member = member(value, component);
      if (member instanceof Optional<?> optional) {
        if (optional.isPresent()) {
          object.add(component.getName(), json(optional.get()));
        }
      } else {
        object.add(component.getName(), json(member));
      }
    }
    return object;
  }

  private static Object member(Record value, RecordComponent component) {
    try {
      return component.getAccessor().invoke(value);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot write " + component, e);
    }
  }

  private static JsonElement json(Object value) {
    if (value == null) {
      return JsonNull.INSTANCE;
    } else if (value instanceof Record nested) {
      return write(nested);
    } else if (value instanceof List<?> list) {
      JsonArray array = new JsonArray();
      list.forEach(element -> array.add(json(element)));
      return array;
    } else if (value instanceof Map<?, ?> map) {
      JsonObject object = new JsonObject();
      map.forEach((name, member) -> object.add(name.toString(), json(member)));
      return object;
    } else if (value instanceof Enum<?> constant) {
      return new JsonPrimitive(word(constant));
    } else if (value instanceof Number number) {
      return new JsonPrimitive(number);
    } else if (value instanceof Boolean flag) {
      return new JsonPrimitive(flag);
    }
    return new JsonPrimitive(value.toString());
  }

  /**
   * Reads a record of this package from whatever a daemon answered. Control characters in texts,
   * which could play with a terminal, become question marks.
   */
  public static <T extends Record> T read(JsonElement json, Class<T> type) {
    JsonObject object = json instanceof JsonObject given ? given : new JsonObject();
    RecordComponent[] components = type.getRecordComponents();
    Class<?>[] types = new Class<?>[components.length];
    Object[] values = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      types[i] = components[i].getType();
      values[i] = value(object.get(components[i].getName()), components[i].getGenericType());
    }
    try {
      return type.getDeclaredConstructor(types).newInstance(values);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot read " + type, e);
    }
  }

  private static Object value(JsonElement json, Type type) {
    if (type instanceof ParameterizedType generic) {
      Type[] arguments = generic.getActualTypeArguments();
      if (generic.getRawType() == List.class) {
        return list(json, arguments[0]);
      } else if (generic.getRawType() == Map.class) {
        return map(json, arguments[1]);
      }
      return json instanceof JsonObject
          ? Optional.ofNullable(value(json, arguments[0]))
          : Optional.empty();
    }
    Class<?> plain = (Class<?>) type;
    if (plain.isRecord()) {
      return read(json, plain.asSubclass(Record.class));
    }
    return json instanceof JsonPrimitive primitive ? scalar(primitive, plain) : null;
  }

  private static List<Object> list(JsonElement json, Type type) {
    List<Object> list = new ArrayList<>();
    if (json instanceof JsonArray array) {
      boolean records = type instanceof Class<?> plain && plain.isRecord();
      for (JsonElement element : array) {
        Object value = element.isJsonObject() == records ? value(element, type) : null;
        if (value != null) {
          list.add(value);
        }
      }
    }
    return Collections.unmodifiableList(list);
  }

  private static Map<String, Object> map(JsonElement json, Type type) {
    Map<String, Object> map = new LinkedHashMap<>();
    if (json instanceof JsonObject object) {
      for (Map.Entry<String, JsonElement> member : object.entrySet()) {
        Object value = value(member.getValue(), type);
        if (value != null) {
          map.put(printable(member.getKey()), value);
        }
      }
    }
    return Collections.unmodifiableMap(map);
  }

  private static Object scalar(JsonPrimitive json, Class<?> type) {
    try {
      if (type == String.class) {
        return printable(json.getAsString());
      } else if (type == Boolean.class) {
        return json.isBoolean() ? json.getAsBoolean() : null;
      } else if (type == Integer.class) {
        return Math.toIntExact(json.getAsLong());
      } else if (type == Long.class) {
        return json.getAsLong();
      } else if (type == Instant.class) {
        return Instant.parse(json.getAsString());
      }
    } catch (ArithmeticException | NumberFormatException | DateTimeException e) {
      return null;
    }
    for (Object constant : type.getEnumConstants()) {
      if (word((Enum<?>) constant).equals(json.getAsString())) {
        return constant;
      }
    }
    return null;
  }

  private static String word(Enum<?> constant) {
    try {
      return constant
          .getDeclaringClass()
          .getField(constant.name())
          .getAnnotation(SerializedName.class)
          .value();
    } catch (NoSuchFieldException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String printable(String text) {
    StringBuilder masked = new StringBuilder(text);
    for (int i = 0; i < masked.length(); i++) {
      if (Character.isISOControl(masked.charAt(i))) {
        masked.setCharAt(i, '?');
      }
    }
    return masked.toString();
  }
}
